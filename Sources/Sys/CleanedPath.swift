extension Path {
    /// The parts of a path, by bytes: to a `String`, a slash with a combining mark behind it is no slash.
    package static func parts(_ path: some StringProtocol) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The lexically shortest path: no `.`, no empty parts, `..` taken out where it can be, `.` for nothing.
    package static func cleaned(_ path: String) -> String {
        let absolute = path.utf8.first == UInt8(ascii: "/")
        var result: [String] = []
        for part in parts(path) where part != "." {
            if part != ".." {
                result.append(part)
            } else if let last = result.last, last != ".." {
                result.removeLast()
            } else if !absolute {
                result.append(part)
            }
        }
        let joined = result.joined(separator: "/")
        if absolute { return "/" + joined }
        return joined.isEmpty ? "." : joined
    }
}
