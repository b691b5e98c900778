/// DockerCLI.
