// The image worker as it would be if a stranger's bytes had taken it over: all is set up as in the real one, and where
// that would read the first foreign byte this does what an attacker would. For the tests, and never installed.
//
// MisbehavingWorker confined|free files|reads|devices|processes|kernel|network NAME=VALUE...
// MisbehavingWorker confined|free wait
// MisbehavingWorker confined|free keeper ATTACK NAME=VALUE...
internal import Glibc
internal import ImageWorker

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2 else { exit(2) }

exit(
    Worker.main(
        takeover: Takeover(confines: arguments[0] == "confined") { seat in
            let targets = Targets(seat, arguments.dropFirst(2))
            let line = KeeperLine(seat.socket)
            let groups = [
                "files": targets.fileAttacks, "reads": targets.readAttacks, "devices": targets.deviceAttacks,
                "processes": targets.processAttacks, "kernel": targets.kernelAttacks,
                "network": targets.networkAttacks,
            ]
            for attack in groups[arguments[1]] ?? [] { line.report("\(attack.name): \(attack.outcome)") }
            if arguments[1] == "wait" {
                line.report("waiting: done")
                sleep(60)
            }
            guard arguments[1] == "keeper" else { return }
            do {
                try KeeperAttacks(targets).run(arguments.count > 2 ? arguments[2] : "")
            } catch {
                line.report("ended: \(error)")
            }
        }))
