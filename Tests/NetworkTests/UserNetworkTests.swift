import Network
import Sys
import TestSupport
import Testing

@Suite struct UserNetworkTests {
    @Test func resolversAreReachedThroughTheProgram() {
        let host = """
            # of the host
            search example.org
            nameserver 127.0.0.53
            nameserver 192.0.2.1
            nameserver\tfd00::1
            nameserver ::1
            options ndots:2
            """
        #expect(
            UserNetwork.slirp4netns.resolverFile(host)
                == "# of the host\nsearch example.org\nnameserver 10.0.2.3\noptions ndots:2\n")
        #expect(
            UserNetwork.pasta.resolverFile(host)
                == "# of the host\nsearch example.org\nnameserver 169.254.1.1\nnameserver\tfd00::1\noptions ndots:2\n")
        #expect(UserNetwork.pasta.resolverFile("nameserver\n") == "nameserver\n")
        #expect(UserNetwork.pasta.resolverFile("") == "")
    }

    @Test(.enabled(if: Conditions.isRoot, "needs root")) func aNamespaceIsNewAndItsOwn() throws {
        let own = try File.readLink("/proc/self/ns/net")
        let first = try NetworkNamespace()
        let second = try NetworkNamespace()
        #expect(try File.readLink(first.path) != own)
        #expect(try File.readLink(first.path) != File.readLink(second.path))
        #expect(try File.readLink("/proc/thread-self/ns/net") == own)
    }

    @Test func whatIsMissingIsNamed() {
        for program in UserNetwork.allCases where program.obstacle != nil {
            let error = NetworkError.unusable(program, program.obstacle ?? "")
            #expect("\(error)".hasPrefix("network \(program.rawValue) can't be had here: "))
        }
        #expect("\(NetworkError.failed(.pasta, ""))".hasSuffix("it ended without a word"))
    }
}
