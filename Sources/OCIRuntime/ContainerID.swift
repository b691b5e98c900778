/// Names of containers, which are names of directories.
enum ContainerID {
    /// NAME_MAX: longer ones could not be a directory.
    private static let maximumBytes = 255

    /// Throws unless `text` is letters, digits and `_+-.`, the first one no dot, as runc and crun take them.
    static func check(_ text: String) throws(ContainerError) {
        if text.isEmpty { throw .invalid("the container ID is empty") }
        if text.utf8.count > maximumBytes {
            throw .invalid("the container ID has \(text.utf8.count) bytes, and at most \(maximumBytes) are allowed")
        }
        let isFit = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        if !isFit || text.utf8.first == UInt8(ascii: ".") {
            throw .invalid(
                "invalid container ID \(text.debugDescription): only [a-zA-Z0-9_+-][a-zA-Z0-9_+.-]* is allowed")
        }
    }
}
