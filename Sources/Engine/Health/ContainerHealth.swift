internal import OCI

/// What is known of a container's health, with docker's last results.
package struct ContainerHealth: Sendable, Hashable {
    package enum Status: String, Sendable { case starting, healthy, unhealthy }

    /// One check.
    package struct Result: Sendable, Hashable {
        /// RFC 3339.
        package var start: String
        package var end: String
        /// 0: healthy; -1: it could not be run to its end.
        package var exitCode: Int32
        package var output: String

        package init(start: String, end: String, exitCode: Int32, output: String) {
            self.start = start
            self.end = end
            self.exitCode = exitCode
            self.output = output
        }
    }

    package var status = Status.starting
    package var failingStreak = 0
    /// The last ones, the newest at the end.
    package var log: [Result] = []

    private static let maximumLog = 5

    package init() {}

    /// Of what lists show the state is enough.
    init?(glance json: JSONValue) {
        guard let status = json["status"]?.string.flatMap(Status.init) else { return nil }
        self.status = status
    }

    /// Takes in a result of a container that had run for `age` nanoseconds when the check began.
    mutating func add(_ result: Result, _ check: HealthCheck, age: Int64) {
        log = log.suffix(ContainerHealth.maximumLog - 1) + [result]
        if result.exitCode == 0 {
            failingStreak = 0
            status = .healthy
            return
        }
        // A container that has not come up yet may take its time.
        if status == .starting, age < check.startPeriod { return }
        failingStreak += 1
        if failingStreak >= check.retries { status = .unhealthy }
    }
}
