extension DockerDialogue {
    static let networks = """
        network create --subnet 10.251.1.0/24 --label a=b -o x=y net1
        network create --subnet 10.251.2.0/24 --gateway 10.251.2.9 --internal net2
        network create --subnet 10.251.3.0/24 net1
        network create --subnet 10.251.1.0/25 net3 ## docker 28 says what kind of request that is
        network create --subnet x net3 ## docker 28's words for wrong subnets
        network create --gateway 10.251.3.1 net3
        network create --subnet 10.251.3.0/24 --gateway 10.251.4.1 net3
        network create --subnet 10.251.3.0/24 --ip-range 10.251.4.0/28 net3
        network create --subnet 10.251.3.0/24 --aux-address a=10.251.4.1 net3
        network create --subnet 10.251.3.0/24 --subnet 10.251.3.0/25 net3
        network create --subnet 10.251.3.0/24 --subnet 10.251.4.0/24 net3
        network create --subnet 10.251.3.0/24 --gateway 10.251.3.0 net3
        network create --subnet 10.251.3.0/31 net3
        network create -d foo net3
        network create -d host net3
        network create -d null net3
        network create -d macvlan -o macvlan_mode=foo net3
        network create -o com.docker.network.bridge.enable_icc=maybe net3
        network create -o com.docker.network.driver.mtu=x net3
        network create -o com.docker.network.bridge.host_binding_ipv4=x net3
        network create bridge
        network create host
        network create default
        network create ## docker 29's words for a wrong number of arguments
        network create a b ## docker 29's words for a wrong number of arguments
        network create --label =x net3
        network ls -f type=custom
        network ls -f type=custom -q
        network ls -f type=custom --format '{{.Name}}|{{.Driver}}|{{.Scope}}|{{.IPv6}}|{{.Internal}}|{{.Labels}}'
        network ls -f name=net -f label=a --format '{{.Name}} {{.Label "a"}}'
        network ls -f driver=null --format '{{.Name}}'
        network ls -f driver=host -f type=builtin --format '{{.Name}} {{.Driver}}'
        network ls -f dangling=true --format '{{.Name}}'
        network ls -f dangling=x
        network ls -f type=foo
        network ls -f foo=a
        network inspect -f '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.EnableIPv6}} {{.IPAM.Driver}}' net1 net2
        network inspect -f '{{json .Labels}} {{json .Options}} {{json .Containers}} {{json .ConfigFrom}}' net1
        network inspect -f '{{json .IPAM.Config}}' net2
        network inspect nope net1 -f '{{.Name}}' ## docker 28's words for one that is not there
        inspect --type network -f '{{.Id}}' net1
        inspect -f '{{.Name}}' net1
        create --name box2 --network net1 --ip 10.251.1.9 --network-alias web box:1 true
        inspect -f '{{.HostConfig.NetworkMode}} {{json .NetworkSettings.Networks.net1.IPAMConfig}}' box2
        ps -a -f name=box2 --format '{{.Networks}}'
        ps -a -f network=net1 --format '{{.Names}}'
        ps -a -f network=net2 --format '{{.Names}}'
        rm box2
        network connect ## docker 29's words for a wrong number of arguments
        network connect net1 ## docker 29's words for a wrong number of arguments
        network connect net1 nope
        network disconnect ## docker 29's words for a wrong number of arguments
        network rm nope ## docker 28's words for one that is not there
        network rm nope net1 ## docker 28's words for one that is not there
        network rm host
        network rm
        network prune -f
        network prune -f
        network prune -f --filter foo=a
        network prune -f --filter until=x
        """
}
