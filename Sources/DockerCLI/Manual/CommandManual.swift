/// What a manual page says beyond the table of commands and flags.
struct CommandManual: Sendable {
    struct Example: Sendable {
        let purpose: String
        /// Command lines.
        let lines: String
    }

    /// Paragraphs.
    var description: [String] = []
    /// Where they are other than usual: all but 0.
    var exits: [(code: String, meaning: String)] = []
    var examples: [Example] = []
    /// Paths of other commands.
    var related: [String] = []

    private static let runExits: [(code: String, meaning: String)] = [
        ("125", "The container could not be made or started, or a flag is wrong."),
        ("126", "The command in the container could not be executed."),
        ("127", "The command was not found in the container."),
        ("other", "The exit status of the command; 128 and the number of a signal that ended it."),
    ]

    private static let existsExits: [(code: String, meaning: String)] = [
        ("1", "It is not there."), ("125", "That could not be told, or a flag is wrong."),
    ]

    private static let selection =
        "Containers are named by name, by ID or by the unique beginning of an ID. With --all, --filter or --latest they are "
        + "chosen instead of named; the keys of a filter are those of runimg-ps(1). A failure with one container does not keep "
        + "the command from the next."

    /// By the path of the command.
    static let table: [String: CommandManual] = containers.merging(rest) { $1 }

    private static let containers: [String: CommandManual] = [
        "run": CommandManual(
            description: [
                "Pulls the image where it is not here, makes a container with a root file system, namespaces and a cgroup of its "
                    + "own, and starts the image's command in it, or COMMAND. Without -d the command stays connected with the "
                    + "container until that ends; the container itself depends only on a small process that looks after it.",
                "What stands behind IMAGE is the container's; flags stand before it.",
                "IMAGE may also be oci:DIRECTORY:TAG, oci-archive:FILE or docker-archive:FILE.",
            ], exits: runExits,
            examples: [
                Example(
                    purpose: "A shell in a container that is removed when it ends:",
                    lines: "runimg run -it --rm alpine sh"),
                Example(
                    purpose: "A service in the background that is started again after a failure and after a boot:",
                    lines: "runimg run -d --name web --restart unless-stopped -v site:/srv -m 256m nginx"),
                Example(purpose: "What a start would do, without doing it:", lines: "runimg run --dry-run alpine"),
            ], related: ["create", "start", "exec", "logs", "ps", "generate systemd"]),
        "create": CommandManual(
            description: [
                "Makes a container as runimg-run(1) does, prints its ID, and leaves its start to runimg-start(1)."
            ],
            exits: [runExits[0]],
            examples: [
                Example(
                    purpose: "Made now, started later:",
                    lines: "runimg create --name job -v \"$PWD:/work\" -w /work alpine ./build.sh\nrunimg start -a job")
            ], related: ["run", "start"]),
        "start": CommandManual(
            description: [
                "Nothing happens to a container that runs already. " + selection,
                "With --all the oldest are started first. Where a filter asks for a restart policy, a container of the policy "
                    + "unless-stopped that somebody stopped is passed over.",
            ],
            examples: [
                Example(purpose: "Start, and show what the container writes:", lines: "runimg start -a job"),
                Example(
                    purpose: "What is to run after a boot:",
                    lines: "runimg start --all --filter restart-policy=always --filter restart-policy=unless-stopped"),
            ], related: ["stop", "run", "generate systemd"]),
        "stop": CommandManual(
            description: [
                "Sends the container's stop signal and, when it has not ended in time, KILL. Its restart policy does not start it "
                    + "again; with --until-boot it counts as running when runimg-start(1) is asked by restart policy. "
                    + selection
            ],
            examples: [
                Example(purpose: "Everything, with 30 seconds for each:", lines: "runimg stop --all -t 30")
            ], related: ["kill", "start", "restart"]),
        "restart": CommandManual(description: [selection], related: ["stop", "start"]),
        "kill": CommandManual(
            description: [selection],
            examples: [Example(purpose: "Ask a server to read its configuration:", lines: "runimg kill -s HUP web")],
            related: ["stop"]),
        "rm": CommandManual(
            description: ["Removes containers with their root file systems. " + selection],
            examples: [
                Example(
                    purpose: "All that have failed, with their anonymous volumes:",
                    lines: "runimg rm -v --filter status=exited --filter exited=1")
            ], related: ["container prune", "rmi"]),
        "ps": CommandManual(
            description: [
                "Filters: "
                    + ContainerFilter.keys.map { "\($0.name)=" }.joined(separator: ", ")
                    + ". The same key twice widens what fits, different keys narrow it; label always narrows."
            ],
            examples: [
                Example(
                    purpose: "Names and states of all, a line each:",
                    lines: "runimg ps -a --format '{{.Names}}\\t{{.Status}}'"),
                Example(purpose: "IDs of those with a label:", lines: "runimg ps -q --filter label=app=shop"),
            ], related: ["inspect", "stats", "top"]),
        "exec": CommandManual(
            description: [
                "Runs a further process in the namespaces and the cgroup of a running container, with its capabilities and its "
                    + "filter of system calls."
            ], exits: Array(runExits[1...]) + [("1", "The container does not run, or is not there.")],
            examples: [Example(purpose: "A second shell:", lines: "runimg exec -it web sh")],
            related: ["run", "attach"]),
        "attach": CommandManual(
            description: ["ctrl-p ctrl-q lets go of the container, which runs on."], related: ["exec", "logs"]),
        "logs": CommandManual(
            description: [
                "Times are RFC 3339, seconds since 1970, or a duration such as 42m that is counted back from now."
            ],
            examples: [
                Example(purpose: "The last lines, and all that come:", lines: "runimg logs -f --tail 20 web"),
                Example(purpose: "The last hour, with times:", lines: "runimg logs -t --since 1h web"),
            ], related: ["attach", "events"]),
        "cp": CommandManual(
            description: [
                "One of both ends is in a container, running or not, written as CONTAINER:PATH; - is a tar on standard input or "
                    + "output. No link in the container leads out of it."
            ],
            examples: [
                Example(
                    purpose: "Both ways:",
                    lines:
                        "runimg cp web:/etc/nginx/nginx.conf .\nrunimg cp site/. web:/srv\nrunimg cp web:/srv - | tar -t"
                )
            ], related: ["diff", "export"]),
        "commit": CommandManual(
            examples: [
                Example(
                    purpose: "What the container has become, as an image with another command:",
                    lines: "runimg commit -c 'CMD [\"/srv/run\"]' web shop/web:2")
            ], related: ["diff", "export"]),
        "export": CommandManual(related: ["cp", "commit"]),
        "diff": CommandManual(description: ["A: added, C: changed, D: deleted."], related: ["commit"]),
        "wait": CommandManual(
            description: ["Prints the exit code of each container when it has ended. " + selection], related: ["stop"]),
        "update": CommandManual(
            examples: [Example(purpose: "More memory, at once:", lines: "runimg update -m 1g --memory-swap 2g web")],
            related: ["run"]),
        "container exists": CommandManual(exits: existsExits),
        "container prune": CommandManual(related: ["rm"]),
        "container inspect": CommandManual(related: ["inspect"]),
    ]

    private static let rest: [String: CommandManual] = [
        "pull": CommandManual(
            description: [
                "A download that broke off goes on where it stopped. When the command ends with 0, the image survives a power "
                    + "cut."
            ],
            examples: [
                Example(
                    purpose: "From a registry, a mirror, or without any:",
                    lines: "runimg pull alpine:3.20\nrunimg pull --registry-mirror https://mirror.example alpine\n"
                        + "runimg pull oci:./layout:latest")
            ], related: ["images", "run"]),
        "images": CommandManual(
            examples: [Example(purpose: "Those without a name:", lines: "runimg images --filter dangling=true -q")],
            related: ["pull", "rmi"]),
        "rmi": CommandManual(related: ["images", "rm"]),
        "image exists": CommandManual(exits: existsExits),
        "image inspect": CommandManual(related: ["inspect"]),
        "volume exists": CommandManual(exits: existsExits),
        "inspect": CommandManual(
            description: [
                "A name is looked for among containers, then images, then volumes. Templates are those of Go, with docker's "
                    + "functions and names."
            ],
            exits: [("1", "Something is not there."), ("64", "The template is wrong."), ("125", "A flag is wrong.")],
            examples: [
                Example(
                    purpose: "One value:", lines: "runimg inspect -f '{{.State.Status}}' web")
            ], related: ["ps", "images", "volume ls"]),
        "events": CommandManual(
            examples: [
                Example(
                    purpose: "Ends of containers as they happen:",
                    lines: "runimg events --filter event=die --format '{{.Actor.Attributes.name}}'")
            ], related: ["logs"]),
        "completion": CommandManual(
            description: [
                "The script asks the program for every word, so that names are those of now. It evaluates nothing."
            ],
            examples: [
                Example(
                    purpose: "For this session, in bash, zsh and fish:",
                    lines: "source <(runimg completion bash)\nsource <(runimg completion zsh)\n"
                        + "runimg completion fish | source")
            ]),
        "generate systemd": CommandManual(
            description: [
                "The unit runs the container in the foreground, so that systemd sees its end and its exit code. With --boot it is "
                    + "one for all containers: after a boot it starts those whose restart policy is always, and those of "
                    + "unless-stopped that nobody had stopped; at a shutdown it stops what runs.",
                "Where systemd is to start a container again, let the container itself have no restart policy.",
            ],
            examples: [
                Example(
                    purpose: "One container below systemd:",
                    lines: "runimg create --name web nginx\n"
                        + "runimg generate systemd --name web > /etc/systemd/system/container-web.service\n"
                        + "systemctl daemon-reload && systemctl enable --now container-web"),
                Example(
                    purpose: "All that is to run after a boot:",
                    lines: "runimg generate systemd --boot > /etc/systemd/system/runimg-restart.service\n"
                        + "systemctl enable runimg-restart"),
            ], related: ["start", "stop"]),
        "healthcheck run": CommandManual(exits: [
            ("1", "The check failed, or could not be made."), ("125", "A flag is wrong."),
        ]),
        "volume create": CommandManual(related: ["run", "volume ls"]),
    ]

    static let program = [
        "Pulls container images, assembles their root file systems and runs containers, with docker's command line and without "
            + "a daemon: each running container has one small process beside it.",
        "runimg help COMMAND shows what a command can do. A command that is not built yet is known and says so.",
    ]

    static let variables: [(name: String, meaning: String)] = [
        ("DOCKER_CONFIG", "Directory of docker's config.json, instead of ~/.docker: credentials and formats of lists."),
        ("DOCKER_DEFAULT_PLATFORM", "Platform of images where --platform is not given."),
        ("HTTPS_PROXY, NO_PROXY", "Proxies, as for curl."),
        ("SSL_CERT_FILE, CURL_CA_BUNDLE", "Certificates that registries may be signed by, as for curl."),
    ]

    static let files: [(name: String, meaning: String)] = [
        ("/var/lib/runimg", "Images, layers, containers, volumes (--data-root)."),
        ("/run/runimg", "Containers that are running now."),
        ("/etc/runimg/config.json", "Settings, with docker's keys; else /etc/docker/daemon.json."),
        ("~/.docker/config.json", "Credentials of registries."),
        ("/etc/docker/certs.d/HOST:PORT", "Certificates of a registry."),
    ]
}
