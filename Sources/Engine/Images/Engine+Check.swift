internal import Images
internal import OCI
internal import Sys

/// What a check of the store found.
package struct StoreCheck: Sendable {
    package var images = 0
    package var layers = 0
    /// Lines for people: what is wrong with what.
    package var faults: [String] = []
    /// How many of them were mended.
    package var repaired = 0

    package init() {}
}

extension Engine {
    /// Looks through all images: records, documents, and each layer's files, held against its blob. With `repairs` damaged
    /// layers are made anew, out of the blob or what the registry has, and what belongs to nobody is removed.
    package func checkStore(
        repairs: Bool, _ asked: PullRequest, fault: (String) -> Void
    ) throws(EngineError) -> StoreCheck {
        sweep()
        try store { () throws(StoreError) in try images.clean() }
        var check = StoreCheck()
        try checkRecords(repairs, asked, &check, fault)
        var known: Set<Digest> = []
        for image in try store({ () throws(StoreError) in try images.list() }).images {
            check.images += 1
            try self.check(image, repairs, asked, &known, &check, fault)
        }
        check.layers = known.count
        // What is mounted on the host may stand on them as well.
        if repairs, try mountedFiles(.all).isEmpty {
            try store { () throws(StoreError) in
                try images.removeReplaced { () throws(StoreError) in try imageUses() }
            }
        }
        return check
    }

    private func checkRecords(
        _ repairs: Bool, _ asked: PullRequest, _ check: inout StoreCheck, _ tell: (String) -> Void
    ) throws(EngineError) {
        let faults = try store { () throws(StoreError) in
            try images.checkRecords(
                uses: { () throws(StoreError) in try imageUses() },
                containers: { () throws(StoreError) in try containerNames() })
        }
        for found in faults {
            var text = found.description
            if repairs {
                do throws(EngineError) {
                    if try mend(found, asked) {
                        check.repaired += 1
                        text += "; repaired"
                    }
                } catch {
                    text += "; not repaired: \(error)"
                }
            }
            check.faults.append(text)
            tell(text)
        }
    }

    private func containerNames() throws(StoreError) -> Set<String> {
        do throws(EngineError) {
            return Set(try containers.all(problem: { problem throws(EngineError) in throw problem }).map(\.id))
        } catch {
            throw .containers("\(error)")
        }
    }

    private func mend(_ fault: RecordFault, _ asked: PullRequest) throws(EngineError) -> Bool {
        switch fault.remedy {
        case .none: return false
        case .remove:
            try store { () throws(StoreError) in try images.removeOrphans { () throws(StoreError) in try imageUses() } }
            return true
        case .fetch(_, nil): throw .invalid("it came from no registry; load or make it again")
        case .fetch(let id, let name?):
            var request = asked
            request.source = name.canonical
            let image = try Worker.run(try workerRequest(.pull, request)) { _ in }.image
            guard image == id else { throw .invalid("\(name.familiar) is another image by now") }
            return true
        }
    }

    private func check(
        _ image: Image, _ repairs: Bool, _ asked: PullRequest, _ known: inout Set<Digest>, _ check: inout StoreCheck,
        _ tell: (String) -> Void
    ) throws(EngineError) {
        if image.layers.allSatisfy({ known.contains($0.chainID) }) { return }
        var request = asked
        request.source = repairs ? image.digests.first?.canonical ?? "" : ""
        var message = try workerRequest(.check, request)
        message.check = CheckRequest(image: image.id, known: Array(known), repairs: repairs)
        let name = image.names.first?.familiar ?? image.id.short
        var looked: [CheckedLayer] = []
        do throws(EngineError) {
            _ = try Worker.outcome(of: message) { event in
                if case .checked(let layer) = event { looked.append(layer) }
            }
        } catch {
            // Somebody removed it meanwhile.
            if try find(image.id.description) != nil { throw error }
        }
        for layer in looked {
            known.insert(layer.chainID)
            for fault in layer.faults {
                let text = "layer \(layer.chainID.short) of \(name): \(fault)" + (layer.isRepaired ? "; repaired" : "")
                check.faults.append(text)
                tell(text)
            }
            if layer.isRepaired { check.repaired += layer.faults.count }
        }
    }
}
