internal import FoundationEssentials

/// Why foreign JSON was not read.
package enum JSONFault: Error, Hashable, Sendable, CustomStringConvertible {
    case tooLarge(limit: Int)
    case tooDeep(limit: Int)
    case tooManyKeys(limit: Int)
    case tooManyValues(limit: Int)
    case syntax(offset: Int)
    /// Readers differ on which of the two counts, so neither does.
    case duplicateKey(String)
    case value(path: String, reason: String)

    package var description: String {
        switch self {
        case .tooLarge(let limit): "more than \(limit) bytes"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        case .tooManyKeys(let limit): "more than \(limit) keys"
        case .tooManyValues(let limit): "more than \(limit) values"
        case .syntax(let offset): "not JSON at byte \(offset)"
        case .duplicateKey(let key): "key \"\(ForeignText(key))\" is there twice"
        case .value(let path, let reason): path.isEmpty ? reason : "\(path): \(reason)"
        }
    }
}

/// JSON from strangers: size, depth and numbers of keys and values are bounded and duplicate keys refused before anything is built
/// from it.
package enum BoundedJSON {
    package static let maximumDepth = 64
    package static let maximumKeys = 100_000
    /// Two bytes of text can be a value of a hundred in memory.
    package static let maximumValues = 250_000

    /// `limit` is in bytes.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], limit: Int
    ) throws(JSONFault) -> Value {
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        try scan(bytes)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw fault(error)
        } catch let error as Digest.ParseError {
            throw .value(path: "", reason: "\(error)")
        } catch {
            throw .value(path: "", reason: "unreadable")
        }
    }

    private static func fault(_ error: DecodingError) -> JSONFault {
        switch error {
        case .typeMismatch(_, let context): .value(path: path(context.codingPath), reason: "has the wrong type")
        case .valueNotFound(_, let context): .value(path: path(context.codingPath), reason: "is null")
        case .keyNotFound(let key, let context): .value(path: path(context.codingPath + [key]), reason: "is missing")
        case .dataCorrupted(let context):
            // The decoder's only other report of a number that does not fit comes without a path.
            .value(
                path: path(context.codingPath),
                reason: context.codingPath.isEmpty ? "a number or string that cannot be read" : "cannot be read")
        @unknown default: .value(path: "", reason: "cannot be read")
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        var result = ""
        for key in keys.prefix(16) {
            if let index = key.intValue {
                result += "[\(index)]"
            } else {
                result += (result.isEmpty ? "" : ".") + ForeignText(key.stringValue, limit: 80).description
            }
        }
        return result
    }

    /// Checks form, depth and keys without recursion: a stack of our own, however deep the text goes.
    package static func scan(_ bytes: [UInt8]) throws(JSONFault) {
        var scanner = JSONScanner(bytes)
        try scanner.run()
    }
}
