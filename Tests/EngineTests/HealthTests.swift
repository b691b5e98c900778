import OCI
import Testing

@testable import Engine

/// What a health check is made of, and what its results make of a container.
struct HealthTests {
    private func record(
        image: ImageConfig.Healthcheck? = nil, asked: ImageConfig.Healthcheck? = nil, shell: [String]? = nil
    ) throws -> ContainerRecord {
        var request = RunRequest(image: "x")
        request.lifecycle.health = asked
        var execution = ImageConfig.Execution()
        execution.healthcheck = image
        execution.shell = shell
        return ContainerRecord(
            id: String(repeating: "0", count: 64), name: "n",
            image: try Digest(parsing: "sha256:" + String(repeating: "0", count: 64)), request: request,
            execution: execution, arguments: ["true"])
    }

    private func healthcheck(_ test: [String]?, _ change: (inout ImageConfig.Healthcheck) -> Void = { _ in })
        -> ImageConfig.Healthcheck
    {
        var result = ImageConfig.Healthcheck()
        result.test = test
        change(&result)
        return result
    }

    @Test func nothingIsCheckedUnasked() throws {
        #expect(HealthCheck(try record()) == nil)
        for test in [[], ["NONE"], ["CMD"], ["CMD-SHELL"], ["ELSE", "x"]] {
            #expect(HealthCheck(try record(image: healthcheck(test))) == nil)
        }
        #expect(HealthCheck(try record(image: healthcheck(["CMD", "x"]), asked: healthcheck(["NONE"]))) == nil)
    }

    @Test func whatIsLeftOpenIsDockers() throws {
        let check = try #require(HealthCheck(try record(image: healthcheck(["CMD", "curl", "-f"]))))
        #expect(check.command == ["curl", "-f"])
        #expect(check.interval == 30_000_000_000 && check.timeout == 30_000_000_000 && check.startPeriod == 0)
        #expect(check.startInterval == 5_000_000_000 && check.retries == 3)
    }

    @Test func flagsWinOverTheImage() throws {
        let image = healthcheck(["CMD", "old"]) {
            $0.interval = 7_000_000_000; $0.retries = 9
        }
        let asked = healthcheck(nil) { $0.interval = 2_000_000_000 }
        let merged = try #require(HealthCheck(try record(image: image, asked: asked)))
        #expect(merged.command == ["old"] && merged.interval == 2_000_000_000 && merged.retries == 9)
        let shell = try record(image: image, asked: healthcheck(["CMD-SHELL", "a b"]), shell: ["/bin/bash", "-ec"])
        #expect(HealthCheck(shell)?.command == ["/bin/bash", "-ec", "a b"])
        #expect(
            HealthCheck(try record(asked: healthcheck(["CMD-SHELL", "a b"])))?.command == ["/bin/sh", "-c", "a b"])
    }

    @Test func oneThatStartsIsCheckedMoreOften() throws {
        let asked = healthcheck(["CMD", "x"]) {
            $0.startPeriod = 10_000_000_000; $0.startInterval = 1_000_000_000
        }
        let check = try #require(HealthCheck(try record(asked: asked)))
        #expect(check.delay(.starting, age: 0) == 1_000_000_000)
        #expect(check.delay(.starting, age: 10_000_000_000) == 30_000_000_000)
        #expect(check.delay(.healthy, age: 0) == 30_000_000_000)
        #expect(check.monitorDelay(.starting, age: 0) == 1000)
        let endless = healthcheck(["CMD", "x"]) { $0.interval = .max }
        #expect(HealthCheck(try record(asked: endless))?.monitorDelay(.starting, age: 0) == .max)
    }

    @Test func failuresCountOnceItIsUp() throws {
        let asked = healthcheck(["CMD", "x"]) {
            $0.startPeriod = 10; $0.retries = 2
        }
        let check = try #require(HealthCheck(try record(asked: asked)))
        func result(_ code: Int32) -> ContainerHealth.Result { .init(start: "", end: "", exitCode: code, output: "") }
        var health = ContainerHealth()
        for _ in 0..<5 { health.add(result(1), check, age: 9) }
        #expect(health.status == .starting && health.failingStreak == 0 && health.log.count == 5)
        health.add(result(1), check, age: 10)
        #expect(health.status == .starting && health.failingStreak == 1)
        health.add(result(0), check, age: 11)
        #expect(health.status == .healthy && health.failingStreak == 0)
        // Once it was up, the time to start is over.
        health.add(result(-1), check, age: 5)
        #expect(health.status == .healthy && health.failingStreak == 1)
        health.add(result(1), check, age: 5)
        #expect(health.status == .unhealthy && health.failingStreak == 2)
        health.add(result(0), check, age: 5)
        #expect(health.status == .healthy && health.log.count == 5)
    }

    @Test func whatDockerRefuses() throws {
        for change: (inout ImageConfig.Healthcheck) -> Void in [
            { $0.interval = 1000 }, { $0.timeout = 999_999 }, { $0.startPeriod = 1 }, { $0.startInterval = 1 },
            { $0.retries = -1 },
        ] {
            #expect(throws: EngineError.self) { try HealthCheck.validate(healthcheck(["CMD", "x"], change)) }
        }
        try HealthCheck.validate(healthcheck(["CMD", "x"]) { $0.interval = 1_000_000 })
    }
}
