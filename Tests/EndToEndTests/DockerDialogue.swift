/// Command lines, and where the answers may differ, why.
enum DockerDialogue {
    enum Difference {
        /// The words differ, and the exit code is the same.
        case words(String)
        /// The exit code differs too.
        case all(String)
    }

    struct Line {
        let text: String
        let arguments: [String]
        let difference: Difference?

        /// `COMMAND`, `COMMAND ## why the words differ` or `COMMAND ##! why the outcome differs`. Single quotes hold
        /// words together.
        init(_ line: Substring) {
            let parts = line.split(separator: " ##", maxSplits: 1)
            text = String(parts[0])
            if parts.count < 2 {
                difference = nil
            } else if parts[1].hasPrefix("!") {
                difference = .all(String(parts[1].dropFirst(2)))
            } else {
                difference = .words(String(parts[1].dropFirst()))
            }
            var words: [String] = []
            for (number, piece) in parts[0].split(separator: "'", omittingEmptySubsequences: false).enumerated() {
                if number % 2 == 1 {
                    words.append(String(piece))
                } else {
                    words += piece.split(separator: " ").map(String.init)
                }
            }
            arguments = words
        }
    }

    static var all: [Line] {
        [life, running, lists, files, images, volumes, networks, wrongFlags].flatMap {
            $0.split(separator: "\n").map(Line.init)
        }
    }

    private static let life = """
        create --network none --name box1 box:1 sleep 1000
        create --network none --name box1 box:1 true
        create --network none --name -bad box:1 true
        create --network none --name box2 -l k=v -e A=B box:1 sh -c 'echo out; echo err >&2; exit 3'
        ps -a --format '{{.Names}}|{{.Status}}|{{.Image}}|{{.Command}}|{{.Ports}}|{{.State}}|{{.Networks}}'
        logs box1
        kill box1
        pause box1
        unpause box1
        stop box1
        exec box1 true
        attach box1
        top box1
        port box1
        start box1
        start box1
        start nope
        start box1 nope
        start -a box1 box2
        start
        start -a box2
        start -i box2
        wait box2
        logs box2
        logs --tail 2 box2
        restart -t 0 box1
        restart nope
        stop nope
        stop -t 0 box1 nope
        stop -t x box1 ## --timeout is the flag's name since docker 28
        stop -s FOO box1 ##! 20.10 has no --signal
        wait box1
        wait nope
        wait box1 nope
        start box1
        kill -s FOO box1
        kill -s 99 box1 ## one message for all signals that are none
        kill nope ## one message for a container that is not there
        kill -s USR2 nope ## one message for a container that is not there
        kill -s HUP box1
        pause box1
        pause box1
        ps --format '{{.Names}}|{{.State}}'
        inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.ExitCode}}' box1
        exec box1 true
        start box1
        attach box1
        unpause box1
        unpause box1
        pause nope
        unpause nope
        rename box1 box3
        rename box3 box3 ## docker before 29 adds a sentence
        rename box3 box2 ## docker before 29 adds a sentence
        rename box3 /-x ## docker before 29 adds a sentence
        rename nope other ## docker before 29 adds a sentence
        rename box3 ## docker 29's words for a wrong number of arguments
        rename box3 box1
        rm box1 ## docker 29's words for a container that runs
        rm nope
        rm -f nope
        rm
        kill box1
        inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}' box1
        """

    private static let running = """
        start box1
        exec box1 echo hi
        exec box1 sh -c 'echo out; echo err >&2; exit 3'
        exec -e A=b box1 sh -c 'echo $A'
        exec -w /bin box1 pwd
        exec -u 1000:2000 box1 id -u
        exec -d box1 true
        exec nope true
        exec box1
        exec box1 nosuch ##! 20.10 says it on standard output, and 126 for what is not there
        exec box1 /etc ## 20.10 says it on standard output
        exec -u nobody99 box1 true ## 20.10 says it on standard output
        exec -w relative box1 true ## refused before a process is made
        exec -it box1 true
        exec -t box1 true
        top box1 -o comm
        top box1 -eo comm,args
        top nope
        port box1 80 ## docker 29 names the port as it was asked for
        port nope
        attach nope
        attach --detach-keys foo box1 ## 20.10 loses the message on the way
        logs nope
        logs --tail x box1
        logs --since foo box1
        logs --until foo box1
        update --restart on-failure:2 box1
        update --restart foo box1 ## docker 29's words for wrong policies
        update --restart always:2 box1 ## docker 29's words for wrong policies
        update box1
        update nope -m 100m
        update -m 1 box1
        update --cpu-shares x box1
        inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' box1
        stats --no-stream nope
        run --network none --rm box:1 sh -c 'echo out; echo err >&2; exit 7'
        run --network none --rm -e A=1 box:1 sh -c 'echo $A'
        run --network none --rm --entrypoint echo box:1 hi
        run --network none --rm --read-only --tmpfs /run box:1 sh -c 'touch /run/x; touch /y'
        run --network none --rm --hostname a_b box:1 hostname
        run --network none --rm box:1 nosuch ## the kernel's answer alone, not who passed it on
        run --network none --rm box:1 /bin ## the kernel's answer alone, not who passed it on
        """

    private static let lists = """
        inspect nope
        inspect --type container nope
        inspect --type image nope
        inspect --type foo box1 ## docker 29's words for a wrong type
        inspect -f '{{.Name}}' box1 nope
        inspect -f '{{json .Config.Cmd}}{{println}}{{.RestartCount}} {{.Config.Labels}}' box1
        inspect -f '{{.Config.Labels.k}} {{index .Config.Env 0}} {{.State.ExitCode}}' box2
        inspect -f '{{range $i, $e := .Args}}{{if $i}},{{end}}{{$e}}{{end}}' box2
        inspect -f '{{' box1
        inspect -f '{{.Nope}}' box1 ## no empty line before the message
        inspect
        ps -a --format '{{.Names}} {{.Label "k"}} {{.Labels}}'
        ps -aq --filter name=box1
        ps -q --filter status=exited
        ps -a --filter status=exited --format '{{.Names}}'
        ps -a --filter exited=3 --format '{{.Names}}'
        ps -a --filter label=k=v --format 'table {{.Names}}\t{{.Image}}'
        ps -a --filter ancestor=box:1 --format '{{upper .Names}}'
        ps -n 1 --format '{{.Names}}'
        ps -l --format '{{.Names}}'
        ps --filter foo=bar
        ps --filter status=nope
        ps --format '{{.Foo}}' ## our objects have no Go types
        ps --format '{{'
        ps extra
        ps --last x
        ps --no-such-flag
        ps -a --no-trunc --format '{{.Command}}'
        container ls -a --format '{{.Names}}'
        image inspect nope
        events --since foo ## names the flag
        """

    private static let files = """
        exec box1 sh -c 'echo new > /new; rm /bin/zcat; echo x > /bin/added'
        diff box1
        diff nope
        cp box1:/new /dev/null/x ## names the call that failed
        cp box1:/nope /dev ## docker 29's words for a missing file
        cp nope:/x /dev ## docker 29's words for a missing container
        cp box1:/new nope:/x
        cp box1:/new ## docker 29's words for a wrong number of arguments
        cp /nonexist box1:/ ## without docker's second slash
        cp a b
        cp /etc/hostname box1:/bin/
        cp /etc/hostname box1:/no/dir/ ## the same message as for all missing paths
        export nope
        export -o /nonexist/x box1 ## stat's own words
        commit nope
        commit box1 UPPER ## names what is wrong
        commit -c 'BAD=1' box1 new:2
        commit -c 'CMD [\"x\", \"y\"]' -m text -a me box1 new:3
        image inspect -f '{{json .Config.Cmd}} {{.Author}} {{.Comment}} {{len .RootFS.Layers}} {{.Os}}' new:3
        commit -c
        """

    private static let images = """
        tag box:1 other:1
        tag box:1 host:5000/a/b
        image tag box:1 other:2
        tag box:1 other:1
        tag nope other:3
        tag box:1 UPPER ## names what is wrong
        tag UPPER other:3 ## names what is wrong
        tag box:1 other@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        tag box:1 sha256:x
        tag box:1 ## docker 29's words for a wrong number of arguments
        images --format '{{.Repository}}:{{.Tag}}' other
        images --format 'table {{.Repository}}\\t{{.Tag}}' other:2
        images -q nope
        images --filter foo=bar
        images --filter dangling=maybe
        images --filter reference=ot* --format '{{.Repository}}|{{.Tag}}'
        images --filter before=nope
        images other extra
        image inspect -f '{{len .RepoTags}}' other:1
        history nope
        history UPPER ## names what is wrong
        history box:1 extra ## docker 29's words for a wrong number of arguments
        rmi other:1
        rmi nope ## docker 29 names the tag
        rmi nope:1 other:2 nope:2
        rmi -f nope:1
        rmi UPPER ## names what is wrong
        rmi host:5000/a/b
        rmi box:1
        rmi new:3
        rmi
        image prune -f
        image prune -f --filter foo=bar
        image prune -f --filter until=foo
        image prune extra
        system df --format '{{.Type}}'
        system prune -f --volumes --filter until=1h
        system prune -f --filter foo=bar
        """

    private static let volumes = """
        volume create vol1
        volume create vol1
        volume create --label a=b vol2
        volume create -d nfs vol3
        volume create /x
        volume create x
        volume create a b
        volume ls
        volume ls -q
        volume ls --format '{{.Name}}|{{.Driver}}|{{.Scope}}|{{.Labels}}'
        volume ls --filter label=a -q
        volume ls --filter foo=bar
        volume ls --filter dangling=true -q
        volume ls --filter dangling=maybe
        volume inspect nope ## docker 29's words for a missing volume
        volume inspect vol2 -f '{{.Name}} {{.Driver}} {{.Labels}} {{.Options}} {{.Scope}}'
        volume rm nope ## docker 29's words for a missing volume
        volume rm -f nope
        volume rm vol1
        volume rm vol1 vol2 ## docker 29's words for a missing volume
        volume rm
        create --network none --name uses -v vol9:/data box:1 true
        volume ls -q
        volume rm vol9
        ps -a --filter volume=vol9 --format '{{.Names}} {{.Mounts}}'
        rm uses
        volume rm vol9
        volume prune -f
        rm -f box1
        rm box2
        ps -aq
        """

    private static let wrongFlags = """
        run
        run --rm --nosuch box:1
        run --rm -w relative box:1 true
        run --rm -v relative/x:/y box:1 true
        run --rm -v /a:relative box:1 true
        run --rm -v /a:/b:zz box:1 true
        run --rm -v /a:/b:ro:x box:1 true
        run --rm --mount foo box:1 true
        run --rm --mount type=bind,source=/nonexist,target=/x box:1 true
        run --rm --mount type=bind,target=/x box:1 true
        create --mount type=bind,source=/nonexist,target=/x box:1 true
        run --rm -e =x box:1 true
        run --rm --env-file /nonexist box:1 true
        run --rm -l =x box:1 true
        run --rm --label-file /nonexist box:1 true
        run --rm -m 1 box:1 true
        run --rm -m x box:1 true
        run --rm -m 100m --memory-swap 50m box:1 true
        run --rm --memory-reservation 200m -m 100m box:1 true
        run --rm --cpus x box:1 true
        run --rm --cpus 1000 box:1 true
        run --rm --pids-limit x box:1 true
        run --rm --shm-size x box:1 true
        run --rm --cap-add FOO box:1 true
        run --rm --cap-drop FOO box:1 true
        run --rm --security-opt foo box:1 true
        run --rm --restart always box:1 true ## docker 29's words for options that exclude each other
        run --rm --log-opt foo=bar box:1 true
        run --rm --ulimit foo box:1 true
        run --rm --ulimit foo=1 box:1 true
        run --rm --ulimit nofile=2:1 box:1 true
        run --rm --ulimit nofile=x box:1 true
        run --rm --sysctl foo box:1 true ## docker 29 says allowed, not whitelisted
        run --rm --device /dev/null:/x:z box:1 true
        run --rm --stop-signal FOO box:1 true
        run --rm --stop-timeout x box:1 true
        run --rm --network foo box:1 true
        run --rm --ipc foo box:1 true
        run --rm --pid foo box:1 true
        run --rm --uts foo box:1 true
        run --rm --cgroupns foo box:1 true
        run --rm --volumes-from nope box:1 true
        run --rm -a foo box:1 true
        run --rm -d -a stdout box:1 true ##! docker 29's words; 125 as for all wrong flags of run
        run --rm -it box:1 true
        run --rm UPPER ## names what is wrong
        run --rm --pull never nosuch:1
        run --rm --entrypoint '' box:1
        """
}
