internal import OCI

extension RunFlags {
    /// How the container's health is checked.
    static let health: [RunFlag] = [
        .value("health-cmd", takes: .text, "Command that checks health, for a shell") {
            $0.health.test = $1.isEmpty ? nil : ["CMD-SHELL", $1]
        },
        duration("health-interval", "Time between checks (default 30s)", \.interval),
        .value("health-retries", type: "int", "Failures until unhealthy (default 3)") {
            (draft, text) throws(ValueError) in
            draft.health.retries = Int(clamping: try GoValue.int64(text))
        },
        duration("health-start-interval", "Time between checks while it starts (default 5s)", \.startInterval),
        duration("health-start-period", "Time to start, in which failures do not count", \.startPeriod),
        duration("health-timeout", "Most time of one check (default 30s)", \.timeout),
        .bool("no-healthcheck", "Run no health check of the image's") { $0.noHealthcheck = $1 },
    ]

    private static func duration(
        _ name: String, _ summary: String, _ key: any WritableKeyPath<ImageConfig.Healthcheck, Int64?> & Sendable
    ) -> RunFlag {
        .value(name, type: "duration", summary) { (draft, text) throws(ValueError) in
            draft.health[keyPath: key] = try GoValue.duration(text)
        }
    }
}

/// The flags together, as docker judges them.
enum HealthFlags {
    static func resolve(
        _ asked: ImageConfig.Healthcheck, disabled: Bool
    ) throws(ValueError) -> ImageConfig.Healthcheck? {
        let numbers = [
            ("interval", asked.interval), ("timeout", asked.timeout), ("retries", asked.retries.map { Int64($0) }),
            ("start-period", asked.startPeriod), ("start-interval", asked.startInterval),
        ]
        let isAsked = asked.test != nil || numbers.contains { $0.1 ?? 0 != 0 }
        if disabled {
            if isAsked { throw .plain("--no-healthcheck conflicts with --health-* options") }
            var none = ImageConfig.Healthcheck()
            none.test = ["NONE"]
            return none
        }
        for (name, value) in numbers where value ?? 0 < 0 { throw .plain("--health-\(name) cannot be negative") }
        return isAsked ? asked : nil
    }
}
