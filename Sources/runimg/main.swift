internal import DockerCLI
internal import Engine
internal import Glibc

exit(DockerCLI.main { options throws(EngineError) in try Engine.open(options, notice: DockerCLI.warn) })
