internal import DockerCLI
internal import Engine
internal import Glibc
internal import RuntimeCLI
internal import Sys

// One executable with two faces, so that a runtime costs a link.
if ProcessArguments.programName == RuntimeCLI.programName { exit(RuntimeCLI.main()) }
exit(DockerCLI.main { options throws(EngineError) in try Engine.open(options, notice: DockerCLI.warn) })
