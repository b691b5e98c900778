// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // One view of glibc for all modules: without it fd_set has other member names in CLinux than in Glibc.
    .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"]),
    // A section a function: the linker orders them.
    .unsafeFlags(["-Xfrontend", "-function-sections"], .when(configuration: .release)),
]

let strictC: [CSetting] = [
    .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-std=gnu17"]),
    .unsafeFlags(["-ffunction-sections", "-fdata-sections"], .when(configuration: .release)),
]

/// A module map over one of Debian's libraries.
func system(_ name: String, _ pkgConfig: String, _ debian: String) -> Target {
    .systemLibrary(name: name, path: "CShims/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}

/// C sources of our own: one subject a target.
func shim(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "CShims/\(name)", cSettings: strictC)
}

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

/// Has the linker put the functions of usual commands side by side, so that a command faults in fewer pages of code.
/// gold knows neither option.
let functionOrder =
    ["-use-ld=lld"]
    + [
        "--symbol-ordering-file=\(Context.packageDirectory)/Sources/runimg/Link/functions.order",
        "--no-warn-symbol-ordering", "--script=\(Context.packageDirectory)/Sources/runimg/Link/layout.ld",
    ].flatMap { ["-Xlinker", $0] }

/// What the fuzzers look into.
let fuzzed: [Target.Dependency] = ["DockerCLI", "Engine", "Layers", "Registry", "OCI", "Sys", "CLinux"]

/// The fuzzers' targets are one thing in two shapes: part of a test that replays the kept inputs, or a library that
/// libFuzzer drives (`make fuzz`), which needs flags for the whole package.
let fuzzing: [Target] =
    Context.environment["RUNIMG_FUZZ"] == nil
    ? [
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed + ["TestSupport"], path: "Tests/Fuzz",
            exclude: ["Corpora", "Dictionaries", "Driver", "Mutator", "docker-values.tsv"],
            sources: ["Targets", "Replay"], swiftSettings: strict)
    ]
    : [
        .target(name: "FuzzTargets", dependencies: fuzzed, path: "Tests/Fuzz/Targets", swiftSettings: strict),
        .target(name: "FuzzMutator", path: "Tests/Fuzz/Mutator", cSettings: strictC),
        .executableTarget(
            name: "runimg-fuzz", dependencies: ["FuzzTargets", "FuzzMutator"], path: "Tests/Fuzz/Driver",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
            // gold, the default, warns of every section that the sanitizers make.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    ]

let package = Package(
    name: "runimg",
    targets: fuzzing + [
        shim("CLinux"),
        shim("CInit"),
        shim("CMonitor", ["CLinux"]),
        shim("CUserNamespace"),
        shim("CPorts", ["CLinux"]),
        .target(name: "CHash", path: "CShims/CHash", cSettings: strictC, linkerSettings: [.linkedLibrary("crypto")]),
        system("CSeccomp", "libseccomp", "libseccomp-dev"),
        system("CCap", "libcap", "libcap-dev"),
        system("CCurl", "libcurl", "libcurl4-openssl-dev"),
        system("CInflate", "libzstd", "libzstd-dev"),

        library("Sys", ["CLinux"]),
        library("OCI", ["CHash"]),
        library("Images", ["OCI", "Sys"]),
        library("Layers", ["OCI", "Sys", "CInflate"]),
        library("Registry", ["OCI", "Sys", "CCurl"]),
        library("ImageWorker", ["Registry", "Layers", "Images", "OCI", "Sys"]),
        library("Logs", ["OCI", "Sys"]),
        library("Rootfs", ["OCI", "Sys"]),
        library("Union", ["Sys"]),
        library("Cgroups", ["OCI", "Sys"]),
        library("Systemd", ["OCI", "Sys"]),
        library("Network", ["OCI", "Sys", "CPorts"]),
        library("Runtime", ["OCI", "Sys", "Rootfs", "Cgroups", "CInit", "CSeccomp"]),
        library("Supervisor", ["Runtime", "OCI", "Sys", "CMonitor"]),
        library(
            "Engine",
            [
                "Images", "Logs", "Supervisor", "Runtime", "Cgroups", "Network", "Rootfs", "Union", "OCI", "Sys",
                "CUserNamespace",
            ]),
        library("OCIRuntime", ["Runtime", "Systemd", "Cgroups", "Rootfs", "OCI", "Sys"]),
        library("RuntimeCLI", ["OCIRuntime", "Supervisor", "Runtime", "Cgroups", "OCI", "Sys"]),
        library("DockerCLI", ["Engine", "Images", "Logs", "OCI", "Sys"]),

        // Static in the build that users get: a warm `run` must not pay for dynamic linking.
        .executableTarget(
            name: "runimg", dependencies: ["DockerCLI", "RuntimeCLI", "Engine", "Sys"], exclude: ["Link"],
            swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags(
                    ["-static-executable", "-Xlinker", "--gc-sections"] + functionOrder,
                    .when(configuration: .release))
            ]),
        .executableTarget(name: "runimg-image", dependencies: ["ImageWorker", "Sys"], swiftSettings: strict),

        // The image worker as code that was taken over would make it behave.
        .target(name: "CAttack", path: "Tests/CAttack", cSettings: strictC),
        .executableTarget(
            name: "MisbehavingWorker", dependencies: ["ImageWorker", "Images", "OCI", "Sys", "CAttack"],
            path: "Tests/MisbehavingWorker", swiftSettings: strict),
        // One change of a union, in a process that can be killed.
        .executableTarget(
            name: "UnionStep", dependencies: ["Union", "Sys"], path: "Tests/UnionStep", swiftSettings: strict),
        .target(name: "TestSupport", dependencies: ["OCI", "Sys"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("Sys", ["Sys"]),
        tests("OCI", ["OCI", "Sys"]),
        tests("Images", ["Images", "OCI", "Sys"]),
        tests("Layers", ["Layers", "OCI", "Sys"]),
        tests("Registry", ["Registry", "OCI", "Sys"]),
        tests("ImageWorker", ["ImageWorker", "Images", "OCI", "Sys"]),
        tests("Logs", ["CMonitor", "Logs", "OCI", "Sys"]),
        tests("Cgroups", ["Cgroups", "OCI", "Sys"]),
        tests("Systemd", ["Systemd", "OCI", "Sys"]),
        tests("Network", ["Network", "OCI", "Sys"]),
        tests("Runtime", ["CCap", "CInit", "Runtime", "Rootfs", "Cgroups", "OCI", "Sys"]),
        tests("Supervisor", ["CMonitor", "Supervisor", "Runtime", "OCI", "Sys"]),
        tests("Engine", ["Engine", "Images", "Logs", "Network", "Runtime", "Rootfs", "Cgroups", "OCI", "Sys"]),
        tests("DockerCLI", ["DockerCLI", "Engine", "Images", "Logs", "OCI", "Sys"]),
        tests("Union", ["Union", "Layers", "OCI", "Sys"]),
        tests("Architecture", ["Sys"]),
        tests("EndToEnd", ["Cgroups", "OCI", "Sys"]),
        tests("OCIRuntime", ["Systemd", "OCI", "Sys"]),
    ]
)
