internal import Images
internal import Sys

/// Whose files are copied out.
enum CopySource {
    case container(ContainerRecord, name: String)
    case image(Image, name: String)

    /// docker's words, which it has for containers.
    static func notFound(_ path: CopyPath, _ kind: String, _ name: String) -> String {
        "Could not find the file \(path.shown) in \(kind) \(name)"
    }

    func notFound(_ path: CopyPath) -> String {
        switch self {
        case .container(_, let name): CopySource.notFound(path, "container", name)
        case .image(_, let name): CopySource.notFound(path, "image", name)
        }
    }

    /// `NAME:PATH`, of which no container has the name, read as an image's: a name has no colon before a slash, so the
    /// path begins with the first slash that has one before it. nil where it can't be one.
    static func imagePath(_ name: String, _ path: String) -> (image: String, path: String)? {
        let bytes = Array("\(name):\(path)".utf8)
        let ends = bytes.indices.dropLast().first {
            bytes[$0] == UInt8(ascii: ":") && bytes[$0 + 1] == UInt8(ascii: "/")
        }
        guard let end = ends, end > 0 else { return nil }
        return (String(decoding: bytes[..<end], as: UTF8.self), String(decoding: bytes[(end + 1)...], as: UTF8.self))
    }
}
