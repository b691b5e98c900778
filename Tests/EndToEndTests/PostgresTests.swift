internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// A real PostgreSQL, as its official image runs it: started as root, data in a volume, SIGINT to stop.
    @Suite(.enabled(if: Conditions.hasServers, Conditions.serversReason), .timeLimit(.minutes(Wait.minutes(10))))
    struct PostgresTests {
        private static let data = "/var/lib/postgresql/data"
        /// The initial files are not worth a wait for the disk.
        private static let quick = ["-e", "POSTGRES_INITDB_ARGS=-N"]

        private func query(_ servers: Servers, _ name: String, _ sql: String) throws -> [String] {
            let output = try servers.exec(
                name, "psql", "-qtA", "-v", "ON_ERROR_STOP=1", flags: ["-i", "-u", "postgres"], input: sql)
            guard output.status == 0 else { throw Tool.Failure(output: output) }
            return output.lines
        }

        private func isReady(_ servers: Servers, _ name: String) -> Bool {
            servers.awaits(name, "pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres")
        }

        private func volumes(_ servers: Servers) throws -> Set<String> {
            Set(try servers.runimg.check("volume", "ls", "-q").lines)
        }

        @Test func keepsItsDataInANamedVolume() throws {
            try Servers.isolated("postgres") { servers in
                let runimg = servers.runimg
                let volume = ["-v", "pgdata:\(Self.data)"]
                try servers.start("db", volume + Self.quick + ["-m", "512m", "--shm-size", "96m", "--cpus", "1.5"])
                // What pg_isready says, which the image's health check asks.
                #expect(servers.becomes("healthy", "db"))
                _ = try query(servers, "db", "create table kept (n int); insert into kept values (42);\n")
                // Its first process is root's no more, and its shared memory is what was asked for.
                let users = try runimg.check("top", "db", "-eo", "uid,pid,cmd").lines.dropFirst()
                #expect(users.count > 4 && users.allSatisfy { $0.split(separator: " ").first == "999" }, "\(users)")
                #expect(try servers.exec("db", "df", "-m", "/dev/shm").stdout.contains(" 96 "))
                let stats = try runimg.check(
                    "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}", "db")
                #expect(stats.stdout.contains("/ 512MiB"), "\(stats)")
                try dump(servers)

                #expect(try runimg.check("stop", "db").lines == ["db"])
                let log = try servers.log("db")
                #expect(log.contains("received fast shutdown request") && log.contains("database system is shut down"))
                #expect(try servers.inspect("db", "{{.State.ExitCode}}") == "0")
                try runimg.check("start", "db")
                #expect(isReady(servers, "db"))
                #expect(try query(servers, "db", "select n from kept;\n") == ["42"])

                // The volume has a name: it stays, for the next container.
                #expect(try runimg.run(["volume", "rm", "pgdata"]).stderr.contains("volume is in use - ["))
                try runimg.check("rm", "-f", "-v", "db")
                #expect(try volumes(servers) == ["pgdata"])
                try servers.start("next", volume)
                #expect(isReady(servers, "next"))
                #expect(try query(servers, "next", "select n from kept;\n") == ["42"])
                #expect(try !servers.log("next").contains("entrypoint: initialized"))
                try runimg.check("rm", "-f", "next")
                #expect(try runimg.check("volume", "rm", "pgdata").lines == ["pgdata"])
            }
        }

        /// A dump made inside is copied out, and one from outside is read in by a pipe.
        private func dump(_ servers: Servers) throws {
            let runimg = servers.runimg
            #expect(try servers.exec("db", "pg_dump", "-f", "/tmp/dump.sql", flags: ["-u", "postgres"]).status == 0)
            try runimg.check("cp", "-q", "db:/tmp/dump.sql", runimg.scratch("dump.sql"))
            let dump = String(decoding: try File.readAll(runimg.scratch("dump.sql")), as: UTF8.self)
            #expect(dump.contains("COPY public.kept (n) FROM stdin;\n42\n"))
            _ = try query(servers, "db", "create database copied;\n")
            let restore = try servers.exec(
                "db", "psql", "-q", "-d", "copied", flags: ["-i", "-u", "postgres"], input: dump)
            #expect(restore.status == 0 && restore.stderr.isEmpty, "\(restore)")
            let copied = try servers.exec(
                "db", "psql", "-qtA", "-d", "copied", "-c", "select n from kept", flags: ["-u", "999"])
            #expect(copied.lines == ["42"], "\(copied)")
        }

        @Test func recoversFromKillsAndIsRestartedAfterACrash() throws {
            try Servers.isolated("postgres") { servers in
                let runimg = servers.runimg
                try servers.start("db", Self.quick + ["--restart", "on-failure:3"])
                #expect(isReady(servers, "db"))
                _ = try query(servers, "db", "create table kept (n int); insert into kept values (42);\n")
                // A kill by command is an order, after which nothing is restarted.
                try runimg.check("kill", "db")
                #expect(try runimg.check("wait", "db").lines == ["137"])
                #expect(try servers.inspect("db", "{{.State.Status}} {{.RestartCount}}") == "exited 0")
                try runimg.check("start", "db")
                #expect(isReady(servers, "db"))
                #expect(
                    try Wait.until(seconds: 20) { try servers.log("db").contains("automatic recovery in progress") })
                #expect(
                    try query(servers, "db", "insert into kept values (43); select n from kept;\n") == ["42", "43"])

                // One from elsewhere is a crash.
                let pid = try #require(try servers.inspect("db", "{{.State.Pid}}").flatMap { Int32($0) })
                try #require(pid > 1)
                kill(pid, SIGKILL)
                #expect(Wait.until(seconds: 20) { (try? servers.inspect("db", "{{.RestartCount}}")) == "1" })
                #expect(isReady(servers, "db"))
                #expect(try query(servers, "db", "select n from kept;\n") == ["42", "43"])

                // Its volume is anonymous, and goes only when that is said.
                let anonymous = try volumes(servers)
                #expect(anonymous.count == 1)
                try runimg.check("stop", "db")
                try runimg.check("rm", "db")
                #expect(try volumes(servers) == anonymous)
                let made = try #require(try runimg.check("create", servers.image).lines.last)
                #expect(try volumes(servers).count == 2)
                try runimg.check("rm", "-v", made)
                #expect(try volumes(servers) == anonymous)
                #expect(try runimg.check("volume", "prune", "-f").stdout.contains(try #require(anonymous.first)))
            }
        }

        @Test func isTalkedToOnATerminal() throws {
            try Servers.isolated("postgres") { servers in
                // From the start another user, below the init of ours, with data where that user may write.
                let flags = ["--init", "--no-healthcheck", "--user", "postgres", "-e", "PGDATA=/tmp/pg"] + Self.quick
                try servers.start("db", flags, ["postgres", "-c", "shared_buffers=16MB"])
                #expect(isReady(servers, "db"))
                #expect(try !servers.runimg.check("ps", "--format", "{{.Status}}").stdout.contains("("))
                let terminal = try servers.runimg.terminal("exec", "-it", "db", "psql", rows: 30, columns: 100)
                try terminal.expect("postgres=# ")
                try terminal.type("select 6*7 as answer, current_setting('shared_buffers');\r")
                try terminal.expect("42 | 16MB")
                try terminal.expect("postgres=# ")
                // Ctrl-C is psql's, and cancels what the server is doing.
                try terminal.type("select pg_sleep(1000);\r")
                try terminal.expect("pg_sleep")
                Wait.sleep(0.3)
                try terminal.type("\u{3}")
                try terminal.expect("canceling statement due to user request")
                try terminal.type("\\q\r")
                #expect(try terminal.wait() == .exited(0))
                try servers.runimg.check("stop", "db")
                #expect(try servers.inspect("db", "{{.State.ExitCode}}") == "0")
                #expect(try servers.log("db").contains("received fast shutdown request"))
            }
        }
    }
}
