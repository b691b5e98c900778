import TestSupport

extension DifferentialTests {
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

    /// A NUL in a name ends it for some readers; Go refuses the records, used or not.
    static let paxBytes: [Case] =
        ["path", "linkpath", "uname", "gname", "a\0b", "path\0", "\0"].map { key in
            Case("pax \(key.debugDescription) with NUL", .refusedFor("invalid PAX record")) { tar in
                paxText(TarForge.record(key, [0x61, 0, 0x62]), &tar)
            }
        } + [
            Case("pax path with NUL under a long name", .refusedFor("invalid PAX record")) { tar in
                tar.pax([("path", [0x61, 0, 0x62] as [UInt8])])
                tar.long("L", "long")
                tar.file("f", "abc")
            },
            Case("pax linkpath with NUL on a link", .refusedFor("invalid PAX record")) { tar in
                tar.pax([("linkpath", [0x61, 0, 0x62] as [UInt8])])
                tar.symlink("l", to: "x")
            },
            Case("pax linkpath with NUL in a global header", .refusedFor("invalid PAX record")) { tar in
                tar.pax([("linkpath", [0x61, 0, 0x62] as [UInt8])], type: "g")
                tar.file("f", "abc")
            },
            Case("pax sparse name with NUL", .refused) { tar in
                tar.pax([
                    ("GNU.sparse.name", [0x61, 0, 0x62] as [UInt8]), ("GNU.sparse.major", [0x30]),
                    ("GNU.sparse.minor", [0x31]), ("GNU.sparse.size", [0x33]), ("GNU.sparse.numblocks", [0x31]),
                    ("GNU.sparse.map", Array("0,3".utf8)),
                ])
                tar.file("f", "abc")
            },
            Case("pax attribute with NUL in its value", .equal) { tar in
                tar.pax([("SCHILY.xattr.user.a", [0x61, 0, 0x62] as [UInt8]), ("comment", [0])])
                tar.file("f", "abc")
            },
            Case("pax attribute with NUL in its name", .refusedFor("invalid PAX record")) { tar in
                paxText(TarForge.record("SCHILY.xattr.user.a\0b", [0x61]), &tar)
            },
            Case("pax keyword empty", .refusedFor("invalid PAX record")) { paxText(Array("5 =a\n".utf8), &$0) },
            Case("pax path of bytes that are no UTF-8", .equal) { tar in
                tar.pax([("path", [0xff, 0xfe, 0x2f, 0xc3, 0x28] as [UInt8])])
                tar.file("f", "abc")
            },
            Case("pax size, twice", .equal) { tar in
                tar.pax([("size", "700"), ("size", "3")])
                tar.file("f", "abc")
            },
            Case("pax size empty", .equal) { tar in
                tar.pax([("size", "")])
                tar.file("f", "abc")
            },
            Case("pax size on a directory", .equal) { tar in
                tar.pax([("size", "512")])
                tar.directory("d")
                tar.raw(inner)
            },
            Case("pax size over 63 bits", .refused) { tar in
                tar.pax([("size", "9223372036854775808")])
                tar.file("f", "abc")
            },
            Case("pax uid negative", .refused) { tar in
                tar.pax([("uid", "-1")])
                tar.file("f", "abc")
            },
            Case("long link twice", .equal) { tar in
                tar.long("K", "first")
                tar.long("K", "second")
                tar.symlink("l", to: "x")
            },
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
        Case("long name and sparse name", .equal) { tar in
            tar.long("L", "from-long")
            tar.pax([
                ("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.name", "from-sparse"),
                ("GNU.sparse.size", "3"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.map", "0,3"),
            ])
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
}
