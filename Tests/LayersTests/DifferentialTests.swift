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
            /// We refuse, and with these words.
            case refusedFor(String)
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

    static let all = pax + paxBytes + gnu + numbers + sized + types + ends + sparseFiles

    @Test("U9: what readers of tars disagree about is read as Go does or refused", arguments: all)
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
        case .refusedFor(let words): #expect(refusal?.contains(words) == true, "\(refusal ?? "accepted")")
        case .equal, .ours: #expect(refusal == nil, "\(refusal ?? "")")
        }
        if refusal != nil { return }
        let theirs = try PeerTests.umoci(scratch, [item.tar], options)
        if case .ours = item.agreement, theirs == nil { return }
        let wanted = try #require(theirs, "accepted here, refused by the peer")
        #expect(try bench.listing("diff", options).without(".").differences(from: wanted.without(".")) == [])
    }
}
