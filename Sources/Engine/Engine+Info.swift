internal import Cgroups
internal import Glibc
internal import Images
internal import OCI
internal import Runtime
internal import Sys

extension Engine {
    /// What is here and what the machine offers.
    package func info() throws(EngineError) -> SystemInfo {
        sweep()
        var info = SystemInfo()
        let records = try containers.all { info.warnings.append("\($0)") }
        info.containers = records.count
        info.containersRunning = records.filter { live.isServed($0.id) }.count
        info.containersStopped = info.containers - info.containersRunning
        if let listing = try? images.list() {
            info.images = listing.images.count
            info.warnings += listing.problems.map { "\($0)" }
        }
        info.dataRoot = dataRoot
        let choice = chooseDriver()
        info.driver = choice.driver.rawValue
        info.driverStatus = storageStatus(choice)
        info.serverVersion = Version.number
        describeMachine(&info)
        describeCgroups(&info)
        info.runtimes = knownRuntimes
        info.defaultRuntime = configuration.defaultRuntime ?? RuntimeChoice.builtIn
        info.networks = ["host", "none"] + usableNetworks
        info.securityOptions = ["name=seccomp,profile=builtin", "name=cgroupns"]
        if let rootless {
            info.securityOptions.append("name=rootless")
            info.rootless = "user \(rootless.uid) in a user namespace, IDs \(rootless.range)"
            if let obstacle = rootless.obstacle {
                let containersWithout =
                    Emulator.installed == nil ? "images, but no containers" : "containers are closed off from nothing"
                info.rootless = "user \(rootless.uid), no user namespace (\(obstacle.errno)): \(containersWithout)"
            }
        }
        info.registryMirrors = rules(RegistryRules()).mirrors.filter { $0.prefix == .hub }.map(\.url)
        info.insecureRegistries =
            configuration.insecureRegistries + options.insecureRegistries + ["::1/128", "127.0.0.0/8"]
        info.httpProxy = Environment["http_proxy"] ?? Environment["HTTP_PROXY"] ?? ""
        info.httpsProxy = Environment["https_proxy"] ?? Environment["HTTPS_PROXY"] ?? ""
        info.noProxy = Environment["no_proxy"] ?? Environment["NO_PROXY"] ?? ""
        info.debug = options.logLevel == .debug
        info.systemTime = Clock.timestamp
        return info
    }

    package func version() -> VersionInfo {
        var result = VersionInfo(
            version: Version.number, gitCommit: Version.commit, buildTime: Version.buildTime, os: Platform.current.os,
            architecture: Platform.current.architecture, swiftVersion: Version.swift)
        result.kernelVersion = HostFacts.kernel().release
        return result
    }

    private func storageStatus(_ choice: DriverChoice) -> [[String]] {
        var rows: [[String]] = []
        let place = File.exists(dataRoot) ? dataRoot : Path.split(dataRoot).parent
        if let name = FileSystemName.of(place) { rows.append(["Backing Filesystem", name]) }
        let types = (try? Directory.entries(place)).map { $0.allSatisfy { $0.type != UInt8(DT_UNKNOWN) } } ?? true
        rows.append(["Supports d_type", "\(types)"])
        rows.append(["Using metacopy", "false"])
        rows.append(["Native Overlay Diff", "\(choice.driver == .overlay2)"])
        rows.append(["userxattr", "\(rootless != nil)"])
        rows.append(["Chosen because", choice.reason])
        return rows
    }

    private func describeMachine(_ info: inout SystemInfo) {
        let kernel = HostFacts.kernel()
        info.kernelVersion = kernel.release
        info.architecture = kernel.machine
        info.name = kernel.name
        let release = OSRelease.read()
        info.operatingSystem = release["PRETTY_NAME"] ?? "Linux"
        info.osVersion = release["VERSION_ID"] ?? ""
        info.cpus = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let pages = Int64(sysconf(Int32(_SC_PHYS_PAGES)))
        let size = Int64(sysconf(Int32(_SC_PAGESIZE)))
        info.memoryTotal = pages.multipliedReportingOverflow(by: size).partialValue
        info.ipv4Forwarding =
            (try? File.readAll("/proc/sys/net/ipv4/ip_forward", limit: 16))?.first == UInt8(ascii: "1")
    }

    private func describeCgroups(_ info: inout SystemInfo) {
        guard let layout = try? cgroupManager().layout else {
            info.warnings.append("no cgroup file system is mounted: no limit can be set")
            return
        }
        let machine = rootless == nil ? layout : (try? CgroupLayout.detect()) ?? layout
        info.cgroupVersion = machine.mode == .unified ? "2" : "1"
        info.memoryLimit = layout.hierarchy(of: "memory") != nil
        info.swapLimit = info.memoryLimit && layout.hasSwapAccounting
        info.pidsLimit = layout.hierarchy(of: "pids") != nil
        info.cpuShares = layout.hierarchy(of: "cpu") != nil
        info.cpuCFSQuota = info.cpuShares
        info.cpuSet = layout.hierarchy(of: "cpuset") != nil
        for (present, what) in [
            (info.memoryLimit, "memory"), (info.swapLimit, "swap"), (info.pidsLimit, "pids"), (info.cpuSet, "cpuset"),
        ] where !present {
            info.warnings.append("WARNING: No \(what) limit support")
        }
    }
}

/// /etc/os-release (os-release(5)).
enum OSRelease {
    static func read() -> [String: String] {
        guard let bytes = try? File.readAll("/etc/os-release", limit: 1 << 16) else { return [:] }
        var result: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { result[String(parts[0])] = parts[1].filter { $0 != "\"" && $0 != "'" } }
        }
        return result
    }
}
