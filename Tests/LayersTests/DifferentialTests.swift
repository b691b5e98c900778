import Layers
import OCI
import Sys
import TestSupport
import Testing

/// Tars about which readers disagree. The peer is umoci, whose reader is Go's archive/tar as docker's, containerd's and
/// podman's: our tree must be its tree, unless we refuse the layer.
@Suite(.enabled(if: Conditions.isRoot && Conditions.has("umoci"), "needs root and umoci"))
struct DifferentialTests {
    struct Case: Sendable, CustomTestStringConvertible {
        enum Agreement: Sendable {
            /// Both accept, both trees are equal.
            case equal
            /// We refuse, whatever the peer does.
            case refused
            /// We accept what the peer's unpacker does not handle, though its reader does.
            case ours
        }
        let testDescription: String
        let agreement: Agreement
        let tar: [UInt8]

        init(_ name: String, _ agreement: Agreement, _ build: (inout TarForge) -> Void) {
            testDescription = name
            self.agreement = agreement
            // A member before and one after: what is hidden or invented shows.
            tar = TarForge.make { tar in
                tar.file("before", "1")
                build(&tar)
                tar.file("after", "2")
            }
        }

        init(_ name: String, _ agreement: Agreement, whole tar: [UInt8]) {
            testDescription = name
            self.agreement = agreement
            self.tar = tar
        }
    }

    static let inner = TarForge.block(TarForge.Header("inner"))

    static func paxText(_ text: [UInt8], _ tar: inout TarForge) {
        tar.member(TarForge.Header("PaxHeaders/x", type: "x"), text)
        tar.file("f", "abc")
    }

    // MARK: PAX

    static let pax: [Case] =
        [
            ("size over header", "600", 0, 600), ("size under header", "3", 1024, 3), ("size zero", "0", 512, 0),
        ].map { name, text, size, stored in
            Case(name, .equal) { tar in
                tar.pax([("size", text)])
                tar.header(TarForge.Header("f").with { $0.size = Int64(size) })
                tar.data(stored == 0 ? [] : inner + [UInt8](repeating: 7, count: max(0, stored - 512)).prefix(stored))
            }
        }
        + ["4x", "-1", " 3", "3 ", "0x3", "99999999999999999999", "1e1"].map { text in
            Case("pax size \"\(text)\"", .refused) { tar in
                tar.pax([("size", text)])
                tar.file("f", "abc")
            }
        }
        + ["1.", ".5", "1.5.5", "1e3", "x", "-"].map { text in
            Case("pax mtime \"\(text)\"", text == "1." ? .equal : .refused) { tar in
                tar.pax([("mtime", text)])
                tar.file("f", "abc")
            }
        }
        + [
            "5 =a\n", "6 a=b\n7 path\n", "3 a\n", "0 path=x\n", "-9 path=x\n", "99 path=x\n", "9 path=xy\n",
            "10 path=x\n\n", "9 path=x\ntrail", "path=x\n", "9  path=x", " 9 path=x\n", "9 path=x\n\0\0\0",
        ].map { text in Case("pax record \(text.debugDescription)", .refused) { paxText(Array(text.utf8), &$0) } }
        + [
            Case("pax record with leading zeros", .equal) { paxText(Array("0012 path=x\n".utf8), &$0) },
            Case("pax empty", .equal) { paxText([], &$0) },
            Case("pax path with NUL", .refused) { paxText(TarForge.record("path", [0x61, 0, 0x62]), &$0) },
            Case("pax linkpath with NUL", .refused) { tar in
                tar.pax([("linkpath", [0x61, 0, 0x62] as [UInt8])])
                tar.symlink("l", to: "x")
            },
            Case("pax keyword with NUL", .refused) { paxText(TarForge.record("a\0b", [0x61]), &$0) },
            Case("pax path twice", .equal) { tar in
                tar.pax([("path", "first"), ("path", "second")])
                tar.file("f", "abc")
            },
            Case("pax path empty", .equal) { tar in
                tar.pax([("path", "")])
                tar.file("f", "abc")
            },
            Case("pax path, then empty", .equal) { tar in
                tar.pax([("path", "first"), ("path", "")])
                tar.file("f", "abc")
            },
            Case("two pax headers", .equal) { tar in
                tar.pax([("path", "first"), ("uid", "7")])
                tar.pax([("path", "second")])
                tar.file("f", "abc")
            },
            Case("pax value with equals and newline", .equal) { tar in
                tar.pax([("SCHILY.xattr.user.a", "b=c\nd"), ("comment", "x\n9 path=y\n")])
                tar.file("f", "abc")
            },
            Case("pax uid and gid", .equal) { tar in
                tar.pax([("uid", "70000"), ("gid", "0080000"), ("uname", "root"), ("gname", "root")])
                tar.file("f", "abc") { $0.uid = 3 }
            },
            Case("pax charset", .equal) { tar in
                tar.pax([("hdrcharset", Array("BINARY".utf8)), ("path", [0xff, 0x41])])
                tar.file("f", "abc")
            },
            Case("pax size on a hard link", .equal) { tar in
                tar.pax([("size", "512")])
                tar.hardLink("h", to: "before")
                tar.raw(inner)
            },
            Case("global path", .ours) { tar in
                tar.pax([("path", "global"), ("uid", "9"), ("mtime", "5")], type: "g")
                tar.file("f", "abc")
            },
            Case("global between pax and member", .refused) { tar in
                tar.pax([("path", "renamed")])
                tar.pax([("comment", "x")], type: "g")
                tar.file("f", "abc")
            },
            Case("global malformed", .refused) { tar in
                tar.member(TarForge.Header("g", type: "g"), Array("9 path".utf8))
                tar.file("f", "abc")
            },
            Case("pax at the end", .refused, whole: TarForge.make { $0.pax([("path", "x")]) }),
        ]

    // MARK: GNU

    static let gnu: [Case] = [
        Case("long name and pax path", .equal) { tar in
            tar.long("L", "from-long")
            tar.pax([("path", "from-pax")])
            tar.file("f", "abc")
        },
        Case("pax path and long name", .equal) { tar in
            tar.pax([("path", "from-pax")])
            tar.long("L", "from-long")
            tar.file("f", "abc")
        },
        Case("long name twice", .equal) { tar in
            tar.long("L", "first")
            tar.long("L", "second")
            tar.file("f", "abc")
        },
        Case("long link and linkpath", .equal) { tar in
            tar.pax([("linkpath", "pax")])
            tar.long("K", "long")
            tar.symlink("l", to: "header")
        },
        Case("long name empty", .equal) { tar in
            tar.member(TarForge.Header("L", type: "L").with { $0.format = .gnu }, [])
            tar.file("f", "abc")
        },
        Case("long name without NUL", .equal) { tar in
            tar.member(TarForge.Header("L", type: "L").with { $0.format = .gnu }, Array("no-nul".utf8))
            tar.file("f", "abc") { $0.format = .gnu }
        },
        Case("long name with NUL", .equal) { tar in
            tar.member(TarForge.Header("L", type: "L").with { $0.format = .gnu }, Array("cut\0here".utf8))
            tar.file("f", "abc") { $0.format = .gnu }
        },
        Case("long name, directory by slash", .equal) { tar in
            tar.long("L", "dir/")
            tar.header(TarForge.Header("f", type: "\0"))
        },
        Case("prefix under GNU's magic", .equal) { tar in
            tar.file("f", "abc") {
                $0.format = .gnu; $0.prefix = Array("a-prefix-that-is-no-time".utf8)
            }
        },
        Case("GNU times", .equal) { tar in
            tar.file("f", "abc") {
                $0.format = .gnu; $0.prefix = Array("00000000012\000000000012\0".utf8)
            }
        },
        Case("prefix of V7", .equal) { tar in
            tar.file("f", "abc") {
                $0.format = .v7; $0.patches = [(345, Array("prefix".utf8))]
            }
        },
        Case("prefix of star", .equal) { tar in
            tar.file("f", "abc") {
                $0.format = .star; $0.prefix = Array("prefix".utf8)
            }
        },
        Case("prefix with a slash", .equal) { tar in tar.file("f", "abc") { $0.prefix = Array("p/".utf8) } },
        Case("long name at the end", .refused, whole: TarForge.make { $0.long("L", "x") }),
    ]

    // MARK: Headers

    static func patched(_ name: String, _ agreement: Case.Agreement, _ offset: Int, _ bytes: [UInt8]) -> Case {
        Case(name, agreement) { $0.file("f", "abc") { $0.patches = [(offset, bytes)] } }
    }

    static let numbers: [Case] = [
        patched("size with spaces before", .equal, 124, Array("          3 ".utf8)),
        patched("size without terminator", .equal, 124, Array("000000000003".utf8)),
        patched("size with NUL inside", .equal, 124, Array("00003\0000001".utf8)),
        patched("size with junk", .refused, 124, Array("00000000003x".utf8)),
        patched("size with an 8", .refused, 124, Array("00000000008\0".utf8)),
        patched("size with a minus", .refused, 124, Array("-0000000003\0".utf8)),
        patched("size negative", .refused, 124, TarForge.base256(-3, 12)),
        patched("size in base 256", .equal, 124, TarForge.base256(3, 12)),
        patched("size over 64 bits", .refused, 124, [0x80, 1] + [UInt8](repeating: 0, count: 10)),
        patched("mtime negative", .equal, 136, TarForge.base256(-100, 12)),
        patched("mtime junk", .refused, 136, Array("zzzzzzzzzzzz".utf8)),
        patched("mode junk", .refused, 100, Array("0000xyz\0".utf8)),
        patched("mode negative", .equal, 100, TarForge.base256(-1, 8)),
        patched("mode with type bits", .equal, 100, Array("0100644\0".utf8)),
        patched("mode blank", .equal, 100, [UInt8](repeating: 0, count: 8)),
        patched("uid in base 256", .equal, 108, TarForge.base256(3_000_000, 8)),
        patched("uid over 32 bits", .refused, 108, TarForge.base256(1 << 32, 8)),
        patched("device junk on a file", .refused, 329, Array("zzzzzzz\0".utf8)),
        patched("name with NUL", .equal, 0, Array("name\0hidden".utf8)),
        patched("name without terminator", .equal, 0, [UInt8](repeating: 0x6e, count: 100)),
        patched("magic with other version", .equal, 263, Array("  ".utf8)),
        patched("unknown magic", .equal, 257, Array("USTAR\0".utf8)),
        Case("signed check sum", .equal) { tar in
            var block = TarForge.block(TarForge.Header([0xe4, 0xf6, 0xfc]))
            let sum = block.enumerated().reduce(0) { sum, item in
                sum + ((148..<156).contains(item.offset) ? 0x20 : Int(Int8(bitPattern: item.element)))
            }
            let text = Array(String(sum, radix: 8).utf8)
            let field = [UInt8](repeating: 0x30, count: 6 - text.count) + text + [0, 0x20]
            block.replaceSubrange(148..<156, with: field)
            tar.raw(block)
        },
        Case("wrong check sum", .refused) { tar in
            var block = TarForge.block(TarForge.Header("f"))
            block[0] = 0x67
            tar.raw(block)
        },
    ]

    static let sized: [Case] = (["1", "2", "5", "6"] as [Character]).map { type in
        Case("size on type \(type)", .equal) { tar in
            tar.header(
                TarForge.Header("f", type: type).with { header in
                    header.size = 512
                    header.link = type == "1" ? Array("before".utf8) : type == "2" ? [0x78] : []
                })
            tar.raw(inner)
        }
    }

    static let types: [Case] =
        (["7", "8", "A", "D", "M", "N", "V", "X", "Z", "!"] as [Character]).map { type in
            Case("type \(type)", .refused) { $0.member(TarForge.Header("f", type: type), Array("abc".utf8)) }
        } + [
            Case("type NUL", .equal) { $0.member(TarForge.Header("f", type: "\0"), Array("abc".utf8)) },
            Case("type NUL with a slash", .equal) { $0.header(TarForge.Header("d/", type: "\0")) },
            Case("directory without a slash", .equal) { $0.directory("d") },
            Case("names with slashes and dots", .equal) { tar in
                tar.file("./a//b/./c", "x")
                tar.directory("a/b/../e/")
                tar.file("/abs/f", "x")
                tar.symlink("a/l/", to: "..//x/")
            },
            Case("names of odd bytes", .equal) { tar in
                tar.file("new\nline", "x")
                tar.file("tab\t", "x")
                tar.file("\u{1b}[31m", "x")
                tar.member(TarForge.Header([0xff, 0xfe]), [1])
                tar.file(" ", "x")
                tar.file("-rf", "x")
                tar.file("...", "x")
            },
        ]

    // MARK: Ends

    static let ends: [Case] = {
        let file = TarForge.block(TarForge.Header("f").with { $0.size = 3 }) + Array("abc".utf8)
        let padding = [UInt8](repeating: 0, count: 509)
        let zero = [UInt8](repeating: 0, count: 512)
        let more = TarForge.block(TarForge.Header("hidden"))
        return [
            Case("no end marker", .equal, whole: file + padding),
            Case("one block as end marker", .equal, whole: file + padding + zero),
            Case("single zero block inside", .refused, whole: file + padding + zero + more + zero + zero),
            Case("members after the end", .equal, whole: file + padding + zero + zero + more),
            Case("garbage after the end", .equal, whole: file + padding + zero + zero + Array("garbage".utf8)),
            Case("zero block first", .refused, whole: zero + file + padding + zero + zero),
            Case("cut in data", .refused, whole: Array(file.dropLast())),
            Case("cut in a header", .refused, whole: file + padding + more.dropLast(1)),
            Case("only zeros", .equal, whole: zero + zero + more),
        ]
    }()

    // MARK: Sparse

    static func sparse(
        _ name: String, _ agreement: Case.Agreement, _ records: [(String, String)], _ data: String = "abcdef"
    ) -> Case {
        Case(name, agreement) { tar in
            tar.pax(records)
            tar.file("GNUSparseFile.1/f", data)
        }
    }

    static func version1(_ map: String) -> String {
        map + String(repeating: "\0", count: (512 - map.utf8.count % 512) % 512) + "abcdef"
    }

    static let sparse01 = [("GNU.sparse.size", "100"), ("GNU.sparse.name", "s"), ("GNU.sparse.major", "0")]
    static let sparse10 = [
        ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"), ("GNU.sparse.realsize", "100"),
    ]

    static let sparseFiles: [Case] =
        [
            ("0,3,50,3", "2", Case.Agreement.equal), ("0,3,2,3", "2", .refused), ("50,3,0,3", "2", .refused),
            ("0,3,98,3", "2", .refused), ("0,3,50,3", "1", .refused), ("0,3,50", "2", .refused), ("", "0", .refused),
            ("0,6,100,0", "2", .equal), ("0,-6,6,6", "2", .refused), ("0,3,50,2", "2", .refused),
            ("0,9223372036854775807,1,6", "2", .refused), ("a,b", "1", .refused),
            ("0,6", "9223372036854775807", .refused),
        ].map { map, count, agreement in
            sparse(
                "sparse 0.1 \(map) of \(count)", agreement,
                sparse01 + [("GNU.sparse.minor", "1"), ("GNU.sparse.map", map), ("GNU.sparse.numblocks", count)])
        }
        + [
            ("2\n0\n3\n50\n3\n", Case.Agreement.equal), ("1\n0\n3\n", .refused), ("2\n0\n3\n", .refused),
            ("-1\n", .refused),
            ("x\n", .refused), ("0\n", .refused), ("2\n0\n3\n40\n60\n", .refused),
        ].map { map, agreement in
            sparse("sparse 1.0 \(map.debugDescription)", agreement, sparse10, version1(map))
        }
        + [
            sparse("sparse 1.0 without its map", .refused, sparse10, "abcdef"),
            sparse("sparse of version 2", .equal, [("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0")]),
            sparse("sparse name without version", .equal, [("GNU.sparse.name", "s")]),
            sparse("sparse 0.0 out of order", .refused, [("GNU.sparse.numbytes", "3"), ("GNU.sparse.offset", "0")]),
            Case("sparse old GNU", .ours) { tar in
                tar.header(
                    TarForge.Header("s", type: "S").with { header in
                        header.format = .gnu
                        header.size = 3
                        header.patches = [(386, SparseTars.gnuMap([(5, 3)])), (483, TarForge.number(100, 12))]
                    })
                tar.data(Array("abc".utf8))
            },
            Case("sparse old GNU under ustar's magic", .refused) { tar in
                tar.header(
                    TarForge.Header("s", type: "S").with { header in
                        header.size = 3
                        header.patches = [(386, SparseTars.gnuMap([(5, 3)])), (483, TarForge.number(100, 12))]
                    })
                tar.data(Array("abc".utf8))
            },
            Case("sparse map of a directory", .refused) { tar in
                tar.pax(sparse10)
                tar.directory("d")
            },
        ]

    static let all = pax + gnu + numbers + sized + types + ends + sparseFiles

    @Test(arguments: all)
    func agreesOrRefuses(_ item: Case) throws {
        let scratch = try Scratch()
        let options: TreeListing.Options = [.digests, .times, .xattrs]
        let bench = try Workbench()
        var refusal: String?
        do throws(LayerError) {
            try bench.extract(item.tar, format: .directory)
        } catch {
            refusal = "\(error)"
        }
        try bench.expectCanaryUntouched()
        switch item.agreement {
        case .refused: #expect(refusal != nil, "accepted")
        case .equal, .ours: #expect(refusal == nil, "\(refusal ?? "")")
        }
        if refusal != nil { return }
        let theirs = try PeerTests.umoci(scratch, [item.tar], options)
        if case .ours = item.agreement, theirs == nil { return }
        let wanted = try #require(theirs, "accepted here, refused by the peer")
        #expect(try bench.listing("diff", options).without(".").differences(from: wanted.without(".")) == [])
    }
}
