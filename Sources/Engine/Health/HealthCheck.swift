package import OCI

/// How a container's health is checked, with nothing left open: the flags' words, then the image's, then docker's.
/// Durations are nanoseconds.
struct HealthCheck: Sendable, Hashable {
    var command: [String]
    var interval: Int64
    var timeout: Int64
    var startPeriod: Int64
    var startInterval: Int64
    var retries: Int

    private static let second: Int64 = 1_000_000_000

    /// nil: nothing checks it.
    init?(_ record: ContainerRecord) {
        guard let asked = record.healthcheck, let test = asked.test, HealthCheck.isOne(test) else { return nil }
        command = Array(test.dropFirst())
        if test[0] == "CMD-SHELL" { command = (record.execution.shell ?? ["/bin/sh", "-c"]) + command }
        func set(_ value: Int64?, _ standard: Int64) -> Int64 { value.flatMap { $0 > 0 ? $0 : nil } ?? standard }
        interval = set(asked.interval, 30 * HealthCheck.second)
        timeout = set(asked.timeout, 30 * HealthCheck.second)
        startPeriod = set(asked.startPeriod, 0)
        startInterval = set(asked.startInterval, 5 * HealthCheck.second)
        retries = max(0, asked.retries ?? 0)
        if retries == 0 { retries = 3 }
    }

    /// Whether the words of a configuration name something to be run; `NONE` names that nothing is.
    static func isOne(_ test: [String]) -> Bool { test.count > 1 && (test[0] == "CMD" || test[0] == "CMD-SHELL") }

    /// Nanoseconds until the next check of a container that has run for `age`.
    func delay(_ status: ContainerHealth.Status, age: Int64) -> Int64 {
        status == .starting && age < startPeriod ? startInterval : interval
    }

    /// The same in milliseconds, as the monitor counts.
    func monitorDelay(_ status: ContainerHealth.Status, age: Int64) -> UInt32 {
        UInt32(clamping: max(1, delay(status, age: age) / 1_000_000))
    }

    /// docker's limits, so that no monitor is kept busy with checks.
    static func validate(_ asked: ImageConfig.Healthcheck) throws(EngineError) {
        let durations = [
            ("Interval", asked.interval), ("Timeout", asked.timeout), ("StartPeriod", asked.startPeriod),
            ("StartInterval", asked.startInterval),
        ]
        for (name, value) in durations {
            if let value, value != 0, value < 1_000_000 {
                throw .invalid("\(name) in Healthcheck cannot be less than 1ms")
            }
        }
        if let retries = asked.retries, retries < 0 { throw .invalid("Retries in Healthcheck cannot be negative") }
    }
}

extension ContainerRecord {
    /// What is asked of the health check, by the flags or else the image; nil: nothing.
    package var healthcheck: ImageConfig.Healthcheck? {
        guard let asked = request.lifecycle.health else { return execution.healthcheck }
        guard let image = execution.healthcheck else { return asked }
        var merged = asked
        if merged.test?.isEmpty ?? true { merged.test = image.test }
        func fill(_ key: WritableKeyPath<ImageConfig.Healthcheck, Int64?>) {
            if merged[keyPath: key] ?? 0 == 0 { merged[keyPath: key] = image[keyPath: key] }
        }
        fill(\.interval)
        fill(\.timeout)
        fill(\.startPeriod)
        fill(\.startInterval)
        if merged.retries ?? 0 == 0 { merged.retries = image.retries }
        return merged
    }
}
