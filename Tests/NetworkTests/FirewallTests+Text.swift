extension FirewallTests {
    /// What nft(8) shows, with the elements of each set on one line and in order: the kernel keeps none.
    static func ordered(_ text: String) -> String {
        var result: [String] = []
        var elements: [String]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let words = String(line.drop { $0 == "\t" || $0 == " " })
            guard elements != nil || words.hasPrefix("elements = { ") else {
                // Four spaces, so that the text can stand in a source file.
                result.append(String(repeating: "    ", count: line.prefix { $0 == "\t" }.count) + words)
                continue
            }
            let item = words.hasPrefix("elements = { ") ? words.dropFirst(13) : words[...]
            let isLast = item.hasSuffix(" }")
            elements = (elements ?? []) + [String(item.dropLast(isLast ? 2 : 1))]
            guard isLast, let all = elements else { continue }
            result.append("        elements = { " + all.sorted().joined(separator: ", ") + " }")
            elements = nil
        }
        return result.joined(separator: "\n")
    }

    static let inet = """
        table inet runimg {
            set bridges {
                type ifname
                elements = { "br-inside", "br-plain", "runimg0" }
            }

            set internal {
                type ifname
                elements = { "br-inside" }
            }

            set within {
                type ifname . ifname
                elements = { "br-plain" . "br-plain", "runimg0" . "runimg0" }
            }

            set switched {
                type ifname
                elements = { "eth0" }
            }

            set switched6 {
                type ifname
                elements = { "eth1" }
            }

            map published4 {
                type inet_proto . inet_service : ipv4_addr . inet_service
                elements = { tcp . 8080 : 172.17.0.2 . 80 }
            }

            map published4at {
                type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
                elements = { 10.1.2.3 . udp . 53 : 172.17.0.2 . 54 }
            }

            map published6 {
                type inet_proto . inet_service : ipv6_addr . inet_service
                elements = { tcp . 8080 : fd00:17::2 . 80 }
            }

            map published6at {
                type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
                elements = { fd01::1 . sctp . 99 : fd00:17::2 . 98 }
            }

            chain published {
                dnat ip to ip daddr . meta l4proto . th dport map @published4at
                meta nfproto ipv4 dnat ip to meta l4proto . th dport map @published4
                dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6at
                meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @published6
            }

            chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                fib daddr type local jump published
            }

            chain output {
                type nat hook output priority -100; policy accept;
                ip daddr 127.0.0.0/8 accept
                ip6 daddr ::1 accept
                fib daddr type local jump published
            }

            chain forward {
                type filter hook forward priority filter; policy accept;
                iifname @switched oifname != @bridges meta oifkind "bridge" accept
                iifname @switched6 oifname != @bridges meta oifkind "bridge" accept
                meta nfproto ipv4 iifname @switched oifname != @bridges ct state ! established,related drop
                meta nfproto ipv6 iifname @switched6 oifname != @bridges ct state ! established,related drop
                iifname != @bridges oifname != @bridges accept
                ct state established,related accept
                iifname . oifname @within accept
                iifname @internal drop
                oifname @internal drop
                ct status dnat accept
                oifname @bridges drop
            }

            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr 172.17.0.0/16 oifname != "runimg0" masquerade
                ip saddr 172.17.0.0/16 oifname "runimg0" ct status dnat masquerade
                ip6 saddr fd00:17::/64 oifname != "runimg0" masquerade
                ip6 saddr fd00:17::/64 oifname "runimg0" ct status dnat masquerade
                ip saddr 172.19.128.0/18 oifname "br-plain" ct status dnat masquerade
            }
        }

        """

    static let bridge = """
        table bridge runimg {
            set ports {
                type ifname
                elements = { "veth1" }
            }

            set senders4 {
                type ifname . ether_addr . ipv4_addr
                elements = { "veth1" . 02:42:ac:11:00:02 . 172.17.0.2 }
            }

            set senders6 {
                type ifname . ether_addr . ipv6_addr
                elements = { "veth1" . 02:42:ac:11:00:02 . ::, "veth1" . 02:42:ac:11:00:02 . fd00:17::2, "veth1" . 02:42:ac:11:00:02 . fe80::42:acff:fe11:2 }
            }

            chain prerouting {
                type filter hook prerouting priority dstnat; policy accept;
                iifname != @ports accept
                iifname . ether saddr . ip saddr @senders4 accept
                arp htype 1 arp ptype ip arp hlen 6 arp plen 4 iifname . ether saddr . arp saddr ip @senders4 iifname . arp saddr ether . arp saddr ip @senders4 accept
                icmpv6 type nd-router-advert drop
                icmpv6 type nd-redirect drop
                icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 != @senders6 drop
                iifname . ether saddr . ip6 saddr @senders6 accept
                drop
            }
        }

        """
}
