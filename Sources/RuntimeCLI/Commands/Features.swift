internal import OCI
internal import OCIRuntime
internal import Runtime
internal import Sys

extension Command {
    static let features = Command(
        name: "features", arguments: "", summary: "Print what this runtime knows as JSON", options: [], count: 0...0
    ) { (_, session) throws(CommandFault) in
        session.output(FeatureReport.json.indentedText + "\n")
        return 0
    }
}

/// features.md and features-linux.md of the runtime specification.
private enum FeatureReport {
    static var json: JSONValue {
        .object([
            "ociVersionMin": .string(SpecVersion.oldest), "ociVersionMax": .string(SpecVersion.newest),
            "hooks": list([
                "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
            ]),
            "mountOptions": list(RuntimeFeatures.mountOptions), "linux": linux,
            "annotations": .object(["runimg.version": .string(Version.number)]),
        ])
    }

    private static var linux: JSONValue {
        .object([
            "namespaces": list(RuntimeFeatures.namespaces),
            "capabilities": list(CapabilityNames.inOrder),
            "cgroup": .object([
                "v1": .bool(true), "v2": .bool(true), "systemd": .bool(true), "systemdUser": .bool(true),
                "rdma": .bool(true),
            ]),
            "seccomp": .object([
                "enabled": .bool(true), "actions": list(RuntimeFeatures.seccompActions),
                "operators": list(RuntimeFeatures.seccompOperators),
                "archs": list(RuntimeFeatures.seccompArchitectures),
                "knownFlags": list(RuntimeFeatures.seccompFlags), "supportedFlags": list(RuntimeFeatures.seccompFlags),
            ]),
            "apparmor": enabled(RuntimeFeatures.hasAppArmor), "selinux": enabled(RuntimeFeatures.hasSELinux),
            "intelRdt": enabled(false),
            "mountExtensions": .object(["idmap": enabled(true)]),
        ])
    }

    private static func enabled(_ value: Bool) -> JSONValue { .object(["enabled": .bool(value)]) }
    private static func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}
