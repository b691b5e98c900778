internal import Layers

/// What an image's layers could not be given as they ask for it, without root.
struct LayerNotes: Sendable {
    private var leftOutDevices: UInt64 = 0
    private var otherOwners: UInt64 = 0

    mutating func add(_ layer: LayerResult) {
        leftOutDevices &+= layer.leftOutDevices
        otherOwners &+= layer.otherOwners
    }

    /// For the user, once an image.
    func texts(_ owners: LayerOwners) -> [String] {
        var texts: [String] = []
        if leftOutDevices > 0 {
            let nodes = leftOutDevices == 1 ? "1 device node" : "\(leftOutDevices) device nodes"
            texts.append("\(nodes) of the image left out: only root can make them")
        }
        if otherOwners > 0 {
            let files = otherOwners == 1 ? "1 file" : "\(otherOwners) files"
            let remedy =
                "newuidmap (Debian's package uidmap) and a line of yours in /etc/subuid and /etc/subgid keep owners"
            if case .own = owners {
                texts.append(
                    "there is no user namespace here, so \(files) that the image gives to other users than root belong to "
                        + "you as all others do")
            } else {
                texts.append(
                    "your user namespace has one ID, so \(files) that the image gives to other users belong to root in "
                        + "it; \(remedy)")
            }
        }
        return texts
    }
}
