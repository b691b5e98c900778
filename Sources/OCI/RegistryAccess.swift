/// How the registry of one command is spoken to, where that is said on the command line. It is never recorded.
package struct RegistryAccess: Sendable, Hashable, Codable {
    /// Plain http may be spoken to it, and its certificate is not checked.
    package var isInsecure = false
    /// Instead of the environment's; empty: none.
    package var proxy: String?
    /// A file with certificates of further authorities, as typed or absolute.
    package var authorityFile: String?
    package var credentials: Credentials?
    /// Of all downloads together.
    package var bytesPerSecond: Int64?
    package var retries: Int?
    /// Before the first repetition.
    package var retrySeconds: Double?

    package init() {}

    /// Never printed: the description says only that there are some.
    package enum Credentials: Sendable, Hashable, Codable, CustomStringConvertible, CustomDebugStringConvertible {
        case password(user: String, password: String)
        /// A file whose first line is `USER:PASSWORD`.
        case file(String)

        package var description: String { "credentials" }
        package var debugDescription: String { description }

        /// `USER:PASSWORD`; nil where there is no colon.
        package init?(parsing text: some StringProtocol) {
            guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return nil }
            self = .password(user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
        }
    }
}
