import DockerCLI
import Engine
import Testing

/// `pause`, `unpause`, `update`, `top` and `stats` as command lines.
@Suite struct UsageCommandTests {
    @Test(arguments: ["pause", "unpause", "container pause", "container unpause"])
    func allAreTriedAndTheCodeTells(_ command: String) {
        let bench = Bench()
        #expect(bench.run("\(command) one bad two") == 1)
        let verb = command.split(separator: " ").last ?? ""
        #expect(bench.engine.usageCalls == ["\(verb) one", "\(verb) bad", "\(verb) two"])
        #expect(bench.output.text == "one\ntwo\n")
        #expect(bench.errors.text == "runimg: No such container: bad\n")
    }

    @Test(arguments: ["pause", "unpause", "update", "top"]) func aContainerIsNeeded(_ command: String) {
        let bench = Bench()
        #expect(bench.run(command) == 1)
        #expect(bench.errors.text.contains("'runimg \(command)' requires at least 1 argument"), "\(bench.errors.text)")
        #expect(bench.engine.usageCalls.isEmpty)
    }

    @Test func updateTakesDockersFlags() throws {
        let bench = Bench()
        let line =
            "update -m 64m --memory-swap -1 --memory-reservation 32m --cpus 1.5 --cpu-shares 512 --cpu-period 50000 "
            + "--cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0 --pids-limit 7 --blkio-weight 300 "
            + "--restart on-failure:3 one two"
        #expect(bench.run(line) == 0, "\(bench.errors.text)")
        #expect(bench.output.text == "one\ntwo\n")
        var wanted = UpdateRequest()
        wanted.resources.memory = 64 << 20
        wanted.resources.memorySwap = -1
        wanted.resources.memoryReservation = 32 << 20
        wanted.resources.nanoCPUs = 1_500_000_000
        wanted.resources.cpuShares = 512
        wanted.resources.cpuPeriod = 50_000
        wanted.resources.cpuQuota = 25_000
        wanted.resources.cpusetCPUs = "0"
        wanted.resources.cpusetMems = "0"
        wanted.resources.pidsLimit = 7
        wanted.resources.blockIOWeight = 300
        wanted.restart = RestartPolicy(kind: .onFailure, maximum: 3)
        #expect(bench.engine.updates == [wanted, wanted])
    }

    @Test(arguments: ["update one", "update --pids-limit 0 one", "update --cpus 0 one", "update --restart= one"])
    func updateNeedsAFlag(_ line: String) {
        let bench = Bench()
        #expect(bench.run(line) == 1)
        #expect(bench.errors.text == "runimg: you must provide one or more flags when using this command\n")
        #expect(bench.engine.updates.isEmpty)
    }

    @Test(
        arguments: [
            ("--blkio-weight 70000", "strconv.ParseUint: parsing \"70000\": value out of range"),
            ("--blkio-weight -1", "strconv.ParseUint: parsing \"-1\": invalid syntax"),
            ("--restart sometimes", "unknown policy 'sometimes'"), ("-m 5x", "invalid suffix: 'x'"),
        ])
    func updateRefusesBadValues(_ flag: String, _ message: String) {
        let bench = Bench()
        #expect(bench.run("update \(flag) one") != 0)
        #expect(bench.errors.text.contains(message), "\(bench.errors.text)")
        #expect(bench.engine.updates.isEmpty)
    }

    @Test func topPassesOptionsOnAndAlignsColumns() {
        let bench = Bench()
        bench.engine.processes = ProcessTable(
            titles: ["UID", "PID", "CMD"], rows: [["root", "7", "sh -c a"], ["a-very-long-user-name", "8", "x"]])
        #expect(bench.run("top one -o pid,comm --all") == 0)
        #expect(bench.engine.usageCalls == ["top one -o pid,comm --all"])
        #expect(
            bench.output.text == """
                UID                     PID                 CMD
                root                    7                   sh -c a
                a-very-long-user-name   8                   x

                """)
    }

    private var busy: ContainerStats {
        var stats = ContainerStats(id: String(repeating: "0123456789abcdef", count: 4), name: "web")
        stats.cpuPercent = 12.345
        stats.memoryUsed = 3 << 20
        stats.memoryLimit = 2 << 30
        stats.network = ContainerStats.Traffic(read: 1296, written: 0)
        stats.blockIO = ContainerStats.Traffic(read: 1_234_567, written: 45_000)
        stats.pids = 4
        return stats
    }

    @Test func statsShowsTheSecondLookInDockersUnits() {
        let bench = Bench()
        bench.engine.looks = [[ContainerStats(id: "x", name: "y")], [busy]]
        #expect(bench.run("stats --no-stream") == 0)
        #expect(
            bench.output.text
                == """
                CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O      BLOCK I/O       PIDS
                0123456789ab   web       12.35%    3MiB / 2GiB         0.15%     1.3kB / 0B   1.23MB / 45kB   4

                """)
        #expect(bench.engine.usageCalls == ["stats [] false"])
    }

    @Test func statsByFormat() {
        for (format, expected) in [
            ("{{.Name}}:{{.CPUPerc}}:{{.PIDs}}", "web:12.35%:4\n"),
            ("{{.Container}}", busy.id + "\n"),
            (
                "json",
                #"{"BlockIO":"1.23MB / 45kB","CPUPerc":"12.35%","Container":"\#(busy.id)","ID":"0123456789ab","#
                    + #""MemPerc":"0.15%","MemUsage":"3MiB / 2GiB","Name":"web","NetIO":"1.3kB / 0B","PIDs":"4"}"#
                    + "\n"
            ),
        ] {
            let bench = Bench()
            bench.engine.looks = [[], [busy]]
            #expect(bench.run(["stats", "--no-stream", "--format", format, "web"]) == 0)
            #expect(bench.output.text == expected)
        }
        let bench = Bench()
        #expect(bench.run(["stats", "--format", "{{.Nam"]) == 1)
        #expect(bench.errors.text.contains("template parsing error"), "\(bench.errors.text)")
    }

    /// What nobody counts is no zero.
    @Test func statsOfWhatIsNotCounted() {
        let bench = Bench()
        bench.engine.looks = [[], [ContainerStats(id: "abc", name: "n")]]
        #expect(
            bench.run(["stats", "-a", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.PIDs}}"])
                == 0)
        #expect(bench.output.text == "-- -- / -- -- / -- --\n")
        #expect(bench.engine.usageCalls == ["stats [] true"])
    }

    /// The last named container is gone: nothing is left to watch.
    @Test func statsEndsWithItsContainers() {
        let bench = Bench(isTerminal: true)
        bench.engine.looks = [[busy], [busy], []]
        #expect(bench.run(["stats", "--format", "{{.Name}}", "web"]) == 0)
        #expect(bench.output.text == "\u{1b}[2J\u{1b}[Hweb\u{1b}[K\n\u{1b}[J")
        let pipe = Bench()
        pipe.engine.looks = [[busy], [busy], []]
        #expect(pipe.run(["stats", "--format", "{{.Name}}", "web"]) == 0)
        #expect(pipe.output.text == "web\n")
    }
}
