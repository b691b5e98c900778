import TestSupport

extension DifferentialTests {
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
}
