import Cgroups
import Network
import OCI
import Testing

@testable import Engine

/// The text of records, in both directions, and that of older formats.
@Suite struct ContainerRecordTests {
    private static let id = String(repeating: "a", count: 64)

    /// A process with something in each of its members.
    private func fullProcess() -> ProcessOptions {
        var process = ProcessOptions()
        process.environment = [EnvironmentEntry(name: "A", value: "1"), EnvironmentEntry(name: "B", value: nil)]
        process.environmentFiles = ["/env"]
        process.entrypoint = []
        process.workingDirectory = "/w"
        process.user = "1:2"
        process.additionalGroups = ["3"]
        process.hostname = "h"
        process.domainname = "d"
        process.stopSignal = "INT"
        process.ulimits = [Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 1, hard: .max)]
        process.labels = [EnvironmentEntry(name: "", value: "\0\n\u{1}é😀\"\\")]
        process.labelFiles = ["/labels"]
        process.annotations = [EnvironmentEntry(name: "a", value: "")]
        return process
    }

    private func fullIsolation() -> IsolationOptions {
        var isolation = IsolationOptions()
        isolation.network = .named("n")
        isolation.networkAsked = true
        isolation.pid = .container("c")
        isolation.ipc = .shareable
        isolation.uts = .host
        isolation.privileged = true
        isolation.addedCapabilities = ["ALL"]
        isolation.droppedCapabilities = ["CAP_CHOWN"]
        isolation.capabilityProfile = .podman
        isolation.noNewPrivileges = false
        isolation.seccomp = .profile(path: "/p")
        isolation.sysctls = [EnvironmentEntry(name: "net.ipv4.ip_forward", value: "1")]
        return isolation
    }

    private func fullResources() -> ResourceOptions {
        var resources = ResourceOptions()
        resources.memory = 0
        resources.memoryReservation = 1
        resources.memorySwap = -1
        resources.nanoCPUs = .max
        resources.cpuPeriod = .min
        resources.cpuQuota = -1
        resources.cpuShares = .max
        resources.cpusetCPUs = "0"
        resources.cpusetMems = "0"
        resources.pidsLimit = 0
        resources.blockIOWeight = .max
        resources.shmSize = 5
        return resources
    }

    private func fullNetworking() throws -> NetworkOptions {
        let address = try #require(IPAddress("10.0.0.1"))
        var networking = NetworkOptions()
        var endpoint = EndpointOptions(network: "n")
        endpoint.aliases = ["a"]
        endpoint.address = address
        endpoint.address6 = IPAddress("fd00::1")
        endpoint.mac = MACAddress(of: address)
        networking.endpoints = [endpoint]
        networking.published = [
            PortMapping(ContainerPort(80), address: address, hostPorts: 1...65535),
            PortMapping(ContainerPort(81, .sctp)),
        ]
        networking.publishesAll = true
        networking.exposed = [ContainerPort(1, .udp)]
        networking.dns.servers = [address]
        networking.dns.search = ["s"]
        networking.dns.options = ["o"]
        networking.extraHosts = [ExtraHost(name: "x", address: nil), ExtraHost(name: "y", address: address)]
        networking.mac = MACAddress(of: address)
        return networking
    }

    private func fullRequest() throws -> RunRequest {
        var request = RunRequest(image: "i")
        request.rootDirectory = RootDirectory(parsing: "/root:O")
        request.command = ["c"]
        request.name = "n"
        for path in [
            \RunRequest.interactive, \.terminal, \.remove, \.useInit, \.readOnly, \.quiet, \.dryRun, \.detach,
        ] {
            request[keyPath: path] = true
        }
        request.runtime = "crun"
        request.timing = false
        request.attach = [.input, .error]
        request.detachKeys = "ctrl-x"
        request.signalProxy = false
        request.containerIDFile = "/cid"
        request.pull = .never
        var platform = Platform(os: "linux", architecture: "arm", variant: "v7")
        platform.osVersion = "1"
        request.platform = platform
        request.process = fullProcess()
        request.isolation = fullIsolation()
        request.resources = fullResources()
        request.lifecycle.restart = RestartPolicy(kind: .onFailure, maximum: 3)
        request.lifecycle.stopTimeout = -1
        request.lifecycle.health = fullHealthcheck()
        request.networking = try fullNetworking()
        request.log.driver = LogOptions.Driver.none
        request.log.options = ["": "v", "k": ""]
        request.log.maxSize = 0
        request.log.maxFiles = 1
        request.mounts = mounts
        request.volumesFrom = ["v"]
        request.devices = [DeviceRequest(source: "/dev/null", target: "/n", permissions: "r")]
        return request
    }

    private func fullHealthcheck() -> ImageConfig.Healthcheck {
        var health = ImageConfig.Healthcheck()
        health.test = ["CMD", "true"]
        health.interval = 1
        health.timeout = 2
        health.startPeriod = 0
        health.startInterval = 4
        health.retries = 5
        return health
    }

    private var mounts: [MountRequest] {
        var bind = MountRequest(kind: .bind(source: "/s", create: true), target: "/b")
        bind.readOnly = true
        bind.propagation = "rslave"
        bind.copyUp = false
        return [
            bind, MountRequest(kind: .volume(name: "v"), target: "/v"),
            MountRequest(kind: .anonymousVolume, target: "/a"),
            MountRequest(kind: .tmpfs(options: ["size=1m"]), target: "/t"),
        ]
    }

    private func fullExecution() -> ImageConfig.Execution {
        var execution = ImageConfig.Execution()
        execution.user = ""
        execution.exposedPorts = ["80/tcp": ImageConfig.Empty()]
        execution.env = []
        execution.entrypoint = ["e"]
        execution.cmd = ["c"]
        execution.volumes = ["/v": ImageConfig.Empty()]
        execution.workingDir = "/w"
        execution.labels = ["l": "m"]
        execution.stopSignal = "9"
        execution.shell = ["sh"]
        execution.healthcheck = fullHealthcheck()
        execution.onBuild = ["RUN x"]
        return execution
    }

    private func fullRecord() throws -> ContainerRecord {
        var record = ContainerRecord(
            id: ContainerRecordTests.id, name: "n", image: Digest.of("i".utf8), request: try fullRequest(),
            execution: fullExecution(), arguments: ["p", "a"])
        record.labels = ["l": "m"]
        record.hostname = "h"
        record.seccompProfile = "{}"
        record.environment = ["A=1"]
        record.mounts = mounts
        record.anonymousVolumes = ["v"]
        record.runtime = RuntimeChoice(name: "crun", path: "/crun", arguments: ["--debug"])
        record.topLayer = Digest.of("l".utf8)
        record.state.status = .restarting
        record.state.exitCode = 0
        record.state.oomKilled = true
        record.state.startedAt = "s"
        record.state.finishedAt = "f"
        record.state.error = "e"
        record.state.restartCount = -2
        record.state.isStopped = true
        var health = ContainerHealth()
        health.status = .unhealthy
        health.failingStreak = 2
        health.log = [ContainerHealth.Result(start: "s", end: "e", exitCode: -1, output: "\0")]
        record.state.health = health
        return record
    }

    private func decoded(_ text: [UInt8]) throws(EngineError) -> ContainerRecord {
        try ContainerRecord.decode(text, of: ContainerRecordTests.id, path: "/p", remedy: "r")
    }

    /// Members that `value` has in common with one that says nothing: what is written must not depend on those alone.
    private func unset(_ value: Any, _ blank: Any, _ name: String = "") -> [String] {
        zip(Mirror(reflecting: value).children, Mirror(reflecting: blank).children).flatMap { mine, other in
            let name = "\(name).\(mine.label ?? "")"
            if "\(mine.value)" == "\(other.value)" { return [name] }
            return Mirror(reflecting: mine.value).displayStyle == .struct ? unset(mine.value, other.value, name) : []
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let record = try fullRecord()
        // A member that is new has to get a value above, and then a place in the list of fields.
        let missing = unset(record, ContainerRecord()).filter { !$0.contains("digest") && !$0.contains("algorithm") }
        #expect(missing == [".version", ".request.registryRules", ".request.registryAccess"])
        #expect(try decoded(record.encoded) == record)
        let plain = ContainerRecord(
            id: ContainerRecordTests.id, name: "n", image: Digest.of([]), request: RunRequest(image: "i"),
            execution: ImageConfig.Execution(), arguments: [])
        #expect(try decoded(plain.encoded) == plain)
        #expect(plain.encoded.count < 600)
    }

    @Test func anEntryIsReadAsItWasWritten() throws {
        var state = LiveState(dataRoot: "/d\"", pid: 1, isNew: true)
        state.process = LiveState.Process(pid: .max, startTime: .max)
        state.driver = .fuseOverlayfs
        state.startedAt = "s"
        state.failure = LiveState.Failure(exitCode: -1, reason: "r")
        state.cgroups = [CgroupLayout.Hierarchy(mountPoint: "/c", controllers: ["cpu"], isUnified: true, name: "n")]
        let address = try #require(IPAddress("10.0.0.1"))
        state.endpoints = [
            Endpoint(
                network: "n", networkName: "m", driver: .macvlan, link: "l", port: "p", interface: "eth0",
                mac: MACAddress(of: address), addresses: [try #require(IPPrefix("10.0.0.1/8"))], gateways: [address],
                aliases: ["a"])
        ]
        state.networkNamespace = "4:1"
        state.published = [PublishedPort(ContainerPort(80), address: address, hostPort: 1)]
        state.holder = LiveState.Process(pid: 2, startTime: 3)
        state.runtime = RuntimeChoice(name: "crun", path: "/crun")
        state.proxiesPorts = true
        state.attachments = [.blank]
        #expect(unset(state, LiveState.blank) == [".version"])
        #expect(try LiveState(reading: FieldWriter.line(state)) == state)
    }

    @Test func theFirstFormatIsReadStill() throws {
        let record = try decoded(Array(ContainerRecordTests.first.utf8))
        #expect(record.version == ContainerRecord.currentVersion)
        #expect(record.path == "/bin/sh" && record.args == ["-c", "echo hi"])
        #expect(record.request.interactive && record.request.signalProxy && !record.request.remove)
        #expect(record.request.isolation.seccomp == .unconfined)
        #expect(record.request.lifecycle.restart == RestartPolicy(kind: .onFailure, maximum: 3))
        let kinds = record.mounts.map(\.kind)
        let known: [MountRequest.Kind] = [
            .tmpfs(options: ["size=1m"]), .bind(source: "/tmp", create: true), .volume(name: "vol"), .anonymousVolume,
        ]
        #expect(kinds == known)
        #expect(record.request.networking?.published.first?.hostPorts == 8080...8081)
        #expect(record.request.process.environment.last == EnvironmentEntry(name: "Y", value: nil))
        #expect(record.state == ContainerRecord.State())
    }

    @Test(arguments: [
        (#""image":"sha256:00""#, "image: invalid digest \"sha256:00\": value is not lower-case hexadecimal"),
        (#""image":7"#, "image: invalid digest \"7\""), (#""args":["a",1]"#, "args[1]: 1 is not a string"),
        (#""state":{"status":"asleep"}"#, "state.status: \"asleep\" is not known here"),
        (#""mounts":[{"kind":{"x":{}},"target":"/"}]"#, "mounts[0].kind: is no kind of mount"),
        (#""request":{"image":"i","attach":256}"#, "request.attach: 256 is not between 0 and 255"),
        (#""topLayer":[]"#, "topLayer: invalid digest"), (#""execution":null"#, "execution: is missing"),
    ])
    func whatIsWrongIsNamed(_ member: String, _ reason: String) throws {
        let key = try #require(member.split(separator: ":").first)
        let document = try JSONValue(parsing: ContainerRecord.minimal.encoded)
        let rest = try #require(document.object).filter { "\"\($0.key)\"" != key }
        let text = "{\(member),\(JSONValue.object(rest).text.dropFirst())"
        let error = #expect(throws: EngineError.self) { try decoded(Array(text.utf8)) }
        #expect("\(try #require(error))".contains("it is not a container's record (\(reason)"))
    }

    @Test func oneOfALaterFormatIsNotMisread() throws {
        let text = String(decoding: ContainerRecord.minimal.encoded, as: UTF8.self)
            .replacing("\"version\":2", with: "\"version\":9")
        let error = #expect(throws: EngineError.self) { try decoded(Array(text.utf8)) }
        guard case .newer(_, 9) = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}

extension ContainerRecord {
    fileprivate static var minimal: ContainerRecord {
        ContainerRecord(
            id: String(repeating: "a", count: 64), name: "n", image: Digest.of([]), request: RunRequest(image: "i"),
            execution: ImageConfig.Execution(), arguments: [])
    }
}

extension ContainerRecordTests {
    /// As it was written by the release before.
    fileprivate static let first = """
        {"version":1,"id":"\(id)","name":"old","created":"2026-11-23T04:37:24.525079231Z",\
        "image":"sha256:334d14467fbbfc313e799b0069baff389e31223e0e914d4e2ca75db379ff4497","imageName":"alpine",\
        "path":"/bin/sh","args":["-c","echo hi"],"labels":{"a":"b"},"request":{"image":"alpine","command":["/bin/sh"],\
        "name":"old","interactive":true,"terminal":true,"remove":false,"useInit":false,"readOnly":false,"quiet":false,\
        "dryRun":false,"detach":false,"signalProxy":true,"pull":"missing","process":{"environment":[{"name":"X",\
        "value":"1"},{"name":"Y"}],"environmentFiles":[],"additionalGroups":[],"ulimits":[{"type":"RLIMIT_NOFILE",\
        "soft":10,"hard":20}],"labels":[{"name":"a","value":"b"}],"labelFiles":[],"annotations":[]},"isolation":\
        {"network":"bridge","networkAsked":false,"pid":"","ipc":"private","uts":"","privileged":false,\
        "addedCapabilities":[],"droppedCapabilities":[],"capabilityProfile":"runimg","noNewPrivileges":false,\
        "seccomp":{"unconfined":{}},"sysctls":[]},"resources":{"memory":67108864,"pidsLimit":7},"lifecycle":\
        {"restart":{"kind":"on-failure","maximum":3},"health":{"Test":["CMD-SHELL","true"]}},"networking":\
        {"endpoints":[],"published":[{"port":{"number":80,"transport":"tcp"},"address":"127.0.0.1",\
        "hostPorts":[8080,8081]}],"publishesAll":false,"exposed":[],"dns":{"servers":["1.1.1.1"],"search":[],\
        "options":[]},"extraHosts":[{"name":"h","address":"1.2.3.4"}]},"log":{"options":{"max-size":"1m"},\
        "maxSize":1048576},"mounts":[],"volumesFrom":[],"devices":[{"source":"/dev/null","target":"/dev/n",\
        "permissions":"rwm"}]},"execution":{},"hostname":"14dad2ecaebd","environment":["X=1"],"mounts":[{"kind":\
        {"tmpfs":{"options":["size=1m"]}},"target":"/t","readOnly":false,"copyUp":true},{"kind":{"bind":\
        {"source":"/tmp","create":true}},"target":"/data","readOnly":true,"copyUp":true},{"kind":{"volume":\
        {"name":"vol"}},"target":"/v","readOnly":false,"copyUp":true},{"kind":{"anonymousVolume":{}},"target":"/anon",\
        "readOnly":false,"copyUp":true}],"anonymousVolumes":[],"state":{"status":"created","oomKilled":false,\
        "restartCount":0,"isStopped":false}}
        """
}
