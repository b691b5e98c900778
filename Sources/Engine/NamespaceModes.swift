package import Network

/// Whose pid or UTS namespace a container's processes are in. As text what docker's inspect shows.
package enum NamespaceMode: Sendable, Hashable, RawRepresentable {
    case own
    case host
    /// Another container's: by any of its names as asked, by its full ID in a record.
    case container(String)

    package init?(rawValue text: String) {
        switch text {
        case "": self = .own
        case "host": self = .host
        default:
            guard let owner = OwnerName.parse(text) else { return nil }
            self = .container(owner)
        }
    }

    package var rawValue: String {
        switch self {
        case .own: ""
        case .host: "host"
        case .container(let owner): OwnerName.text(owner)
        }
    }
}

/// Whose IPC namespace it is, and whether others may join one of the container's own.
package enum IPCMode: Sendable, Hashable, RawRepresentable {
    case isolated
    case shareable
    /// Without /dev/shm.
    case unmounted
    case host
    case container(String)

    package init?(rawValue text: String) {
        switch text {
        case "private": self = .isolated
        case "shareable": self = .shareable
        case "none": self = .unmounted
        case "host": self = .host
        default:
            guard let owner = OwnerName.parse(text) else { return nil }
            self = .container(owner)
        }
    }

    package var rawValue: String {
        switch self {
        case .isolated: "private"
        case .shareable: "shareable"
        case .unmounted: "none"
        case .host: "host"
        case .container(let owner): OwnerName.text(owner)
        }
    }

    /// Whether the container has one of its own.
    var isOwn: Bool {
        switch self {
        case .isolated, .shareable, .unmounted: true
        case .host, .container: false
        }
    }

    /// Whether another container may have the namespace too.
    var isShareable: Bool {
        switch self {
        case .shareable, .host, .container: true
        case .isolated, .unmounted: false
        }
    }
}

/// Whose network it is.
package enum NetworkMode: Sendable, Hashable, RawRepresentable {
    /// Its own, which leads nowhere.
    case none
    /// The default network, as docker's users know it; without root what the engine decides when the container is made.
    case bridge
    /// One that was made, by its name as asked; the container is on all of `NetworkOptions.endpoints`.
    case named(String)
    /// Its own, on networks of CNI's; the name of the first. All are in `NetworkOptions.endpoints`.
    case cni(String)
    /// One that somebody else has made and bound at this path.
    case path(String)
    /// Its own, which leads outward by a program of an ordinary user's.
    case user(UserNetwork)
    case host
    case container(String)

    /// Those that take no container's name.
    package static let names = ["bridge", "host", "none"] + UserNetwork.allCases.map(\.rawValue)

    package static let pathPrefix = "ns:"
    package static let foreignPrefix = "cni:"

    package init?(rawValue text: String) {
        switch text {
        case "none": self = .none
        case "bridge": self = .bridge
        case "host": self = .host
        default:
            if let program = UserNetwork(rawValue: text) {
                self = .user(program)
                return
            }
            if let owner = OwnerName.parse(text) {
                self = .container(owner)
            } else if text.hasPrefix(NetworkMode.pathPrefix) {
                self = .path(String(text.dropFirst(NetworkMode.pathPrefix.count)))
            } else if text.hasPrefix(NetworkMode.foreignPrefix) {
                self = .cni(String(text.dropFirst(NetworkMode.foreignPrefix.count)))
            } else {
                self = .named(text)
            }
        }
    }

    package var rawValue: String {
        switch self {
        case .none: "none"
        case .bridge: "bridge"
        case .named(let name): name
        case .cni(let name): NetworkMode.foreignPrefix + name
        case .path(let path): NetworkMode.pathPrefix + path
        case .user(let program): program.rawValue
        case .host: "host"
        case .container(let owner): OwnerName.text(owner)
        }
    }

    /// Whether the namespace is the container's own.
    var isOwn: Bool {
        switch self {
        case .none, .bridge, .named, .cni, .user: true
        case .host, .container, .path: false
        }
    }
}

/// A mode's `container:OWNER`.
private enum OwnerName {
    private static let prefix = "container:"

    static func parse(_ text: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }

    static func text(_ owner: String) -> String { prefix + owner }
}
