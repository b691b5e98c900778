internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// A real nginx, as its official image runs it: master and workers, logs to /dev/stdout by path, SIGQUIT to stop.
    @Suite(.enabled(if: Conditions.hasServers, Conditions.serversReason), .timeLimit(.minutes(Wait.minutes(10))))
    struct NginxTests {
        /// For any user: no port below 1024, nothing written but below /tmp.
        private static let configuration = """
            pid /tmp/nginx.pid;
            error_log /var/log/nginx/error.log notice;
            events {}
            http {
                access_log /var/log/nginx/access.log;
                client_body_temp_path /tmp/1; proxy_temp_path /tmp/2; fastcgi_temp_path /tmp/3;
                uwsgi_temp_path /tmp/4; scgi_temp_path /tmp/5;
                server { listen 8080; root /usr/share/nginx/html; }
            }
            """

        private func get(_ servers: Servers, _ name: String, _ url: String) throws -> String {
            try servers.exec(name, "wget", "-q", "-O", "-", url).stdout
        }

        @Test func servesFollowsReloadsStopsAndServesAgain() throws {
            try Servers.isolated("nginx") { servers in
                let runimg = servers.runimg
                let site = try runimg.scratch.directory("site", mode: 0o755)
                try runimg.scratch.file("site/index.html", "first\n")
                let settings = try runimg.scratch.directory("conf.d", mode: 0o755)
                let file = "server { listen 80; root /usr/share/nginx/html; add_header X-Turn 1; }\n"
                try runimg.scratch.file("conf.d/default.conf", file)
                try servers.start(
                    "web", ["-v", "\(site):/usr/share/nginx/html:ro", "-v", "\(settings):/etc/nginx/conf.d"])
                #expect(servers.becomes("healthy", "web"))
                #expect(try get(servers, "web", "http://127.0.0.1/index.html?one") == "first\n")
                #expect(
                    try runimg.check("ps", "--format", "{{.Names}} {{.Ports}} {{.Command}}").lines == [
                        "web 80/tcp \"/entrypoint.sh ngin…\""
                    ])
                let commands = try runimg.check("top", "web", "-o", "pid,user,cmd").lines
                #expect(commands.filter { $0.contains("nginx: worker process") }.count == 2)

                var follower = try runimg.start("logs", "-f", "web")
                #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("GET /index.html?one") })
                _ = try get(servers, "web", "http://127.0.0.1/index.html?two")
                #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("GET /index.html?two") })
                #expect(try servers.exec("web", "wget", "-q", "-O", "-", "http://127.0.0.1/none").status == 1)
                #expect(Wait.until(seconds: 20) { runimg.startedErrors.contains("/none\" failed (2: No such file") })

                try reload(servers, file)
                #expect(try runimg.check("stop", "web").lines == ["web"])
                #expect(try servers.inspect("web", "{{.State.Status}} {{.State.ExitCode}}") == "exited 0")
                #expect(try servers.log("web").contains("signal 3 (SIGQUIT) received, shutting down"))
                // The log of a container that has ended has an end.
                #expect(try follower.wait(seconds: 20) == .exited(0))

                try runimg.check("start", "web")
                #expect(servers.awaits("web", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/?again"))
                #expect(try Wait.until(seconds: 20) { try servers.log("web").contains("GET /?again") })
                #expect(servers.becomes("healthy", "web"))
                #expect(try runimg.check("restart", "web").lines == ["web"])
                #expect(servers.awaits("web", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/?restarted"))
            }
        }

        /// A reload by signal: new workers with the new configuration.
        private func reload(_ servers: Servers, _ file: String) throws {
            let runimg = servers.runimg
            try runimg.scratch.file("conf.d/default.conf", file.replacing("X-Turn 1", with: "X-Turn 2"))
            #expect(try servers.exec("web", "nginx", "-t").status == 0)
            #expect(try runimg.check("kill", "-s", "HUP", "web").lines == ["web"])
            #expect(
                Wait.until(seconds: 20) {
                    let answer = try? servers.exec("web", "wget", "-S", "-q", "-O", "/dev/null", "http://127.0.0.1/")
                    return answer?.stderr.contains("X-Turn: 2") == true
                })
            #expect(
                try Wait.until(seconds: 20) {
                    try servers.log("web").contains("signal 1 (SIGHUP) received, reconfiguring")
                })
        }

        @Test func aPageThatFailsMakesItUnhealthy() throws {
            try Servers.isolated("nginx") { servers in
                let site = try servers.runimg.scratch.directory("site", mode: 0o755)
                try servers.runimg.scratch.file("site/index.html", "page\n")
                // The image's test, sooner and with less patience.
                let flags = ["--health-interval", "300ms", "--health-retries", "1"]
                try servers.start("web", flags + ["-v", "\(site):/usr/share/nginx/html:ro"])
                #expect(servers.becomes("healthy", "web"))
                try File.unlink("\(site)/index.html")
                #expect(servers.becomes("unhealthy", "web"))
                let last = "{{range .State.Health.Log}}{{.ExitCode}} {{end}}"
                #expect(try servers.inspect("web", last)?.hasSuffix("1 ") == true)
                try servers.runimg.scratch.file("site/index.html", "page\n")
                #expect(servers.becomes("healthy", "web"))
            }
        }

        @Test(
            "/dev/stdout and /dev/stderr can be opened by path",
            arguments: [[], ["--user", "nginx"], ["-u", "4321:8"]],
            [
                false, true,
            ])
        func logsByPath(_ user: [String], _ hasTerminal: Bool) throws {
            try Servers.isolated("nginx") { servers in
                try servers.runimg.scratch.file("nginx.conf", Self.configuration)
                let volume = ["-v", "\(servers.runimg.scratch("nginx.conf")):/etc/nginx/nginx.conf:ro"]
                try servers.start("web", user + volume + (hasTerminal ? ["-t"] : []))
                #expect(servers.awaits("web", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/?seen"))
                #expect(Wait.until(seconds: 20) { (try? servers.log("web").contains("GET /?seen")) == true })
                let output = try servers.runimg.check("logs", "web")
                #expect(output.stdout.contains("GET /?seen"))
                #expect((hasTerminal ? output.stdout : output.stderr).contains("start worker process"))
                // With a terminal as without: SIGQUIT is nginx's own, and ends it well.
                try servers.runimg.check("stop", "web")
                #expect(try servers.inspect("web", "{{.State.ExitCode}}") == "0")
            }
        }

        @Test(.enabled(if: Conditions.has("curl"), "needs curl"))
        func aRequestUnderWayIsServedToItsEndWhenTheContainerIsStopped() throws {
            try Servers.isolated("nginx") { servers in
                let scratch = servers.runimg.scratch
                let sockets = try scratch.directory("sockets", mode: 0o777)
                let size = 192 << 10
                try scratch.file("large", [UInt8](repeating: 0x78, count: size))
                try scratch.file(
                    "slow.conf",
                    "server { listen unix:/sockets/web; root /srv; location / { limit_rate 96k; } }\n")
                try servers.start(
                    "web",
                    [
                        "-v", "\(sockets):/sockets", "-v", "\(scratch("large")):/srv/large:ro",
                        "-v", "\(scratch("slow.conf")):/etc/nginx/conf.d/default.conf:ro", "--stop-timeout", "30",
                    ])
                #expect(Wait.until(seconds: 20) { File.exists("\(sockets)/web") })
                var client = try ChildProcess(
                    try #require(Tool.find("curl")),
                    ["-s", "-f", "--unix-socket", "\(sockets)/web", "-o", scratch("got"), "http://web/large"],
                    environment: Tool.baseEnvironment)
                #expect(Wait.until(seconds: 20) { ((try? File.status(scratch("got")))?.size ?? 0) > 0 })
                try servers.runimg.check("stop", "web")
                #expect(try client.wait(seconds: 20) == .exited(0))
                #expect(try File.status(scratch("got")).size == size)
                #expect(try servers.inspect("web", "{{.State.ExitCode}}") == "0")
            }
        }
    }
}
