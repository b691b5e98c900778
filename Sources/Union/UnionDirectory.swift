package import Sys

/// A directory of the union, held open in every layer that has a part of it. There is one value for one directory as
/// long as anybody holds it, so that a copy-up, a rename or a removal is seen by all who do.
package final class UnionDirectory {
    /// That of the upper layer, from the first change on.
    private(set) var upper: OpenDirectory?
    /// Top first.
    let lowers: [OpenDirectory]
    /// Nil for the root.
    private(set) var parent: UnionDirectory?
    private(set) var name: PathBytes
    private(set) var isRemoved = false
    private var children: [PathBytes: Weak] = [:]

    /// A descriptor that several values share.
    final class OpenDirectory {
        private let descriptor: OwnedFD
        /// Of the layer, counted from the top.
        let number: Int
        var raw: Int32 { descriptor.raw }

        init(_ descriptor: consuming OwnedFD, _ number: Int = 0) {
            self.descriptor = descriptor
            self.number = number
        }
    }

    private struct Weak {
        weak var directory: UnionDirectory?
    }

    init(upper: OpenDirectory?, lowers: [OpenDirectory], name: PathBytes, in parent: UnionDirectory?) {
        self.upper = upper
        self.lowers = lowers
        self.name = name
        self.parent = parent
        parent?.children[name] = Weak(directory: self)
    }

    deinit { parent?.forget(name) }

    /// Whether both are made of the same directories, so that all below is the same too.
    package func isSame(as other: UnionDirectory) throws(Errno) -> Bool {
        let (mine, theirs) = (layers, other.layers)
        if mine.count != theirs.count { return false }
        for (one, two) in zip(mine, theirs) where try !File.status(one.raw).isSameFile(as: File.status(two.raw)) {
            return false
        }
        return true
    }

    /// Its parts, top first.
    var layers: [OpenDirectory] { (upper.map { [$0] } ?? []) + lowers }

    func held(_ name: PathBytes) -> UnionDirectory? { children[name]?.directory }

    func gained(_ upper: OpenDirectory) { self.upper = upper }

    private func forget(_ name: PathBytes) {
        if let entry = children[name], entry.directory == nil { children[name] = nil }
    }

    // MARK: What happened to a name

    func removed(_ name: PathBytes) {
        children.removeValue(forKey: name)?.directory?.isRemoved = true
    }

    func moved(_ name: PathBytes, to newName: PathBytes, in newParent: UnionDirectory) {
        let moving = children.removeValue(forKey: name)?.directory
        newParent.removed(newName)
        moving?.settle(newName, in: newParent)
    }

    func exchanged(_ name: PathBytes, with otherName: PathBytes, in other: UnionDirectory) {
        let mine = children.removeValue(forKey: name)?.directory
        let theirs = other.children.removeValue(forKey: otherName)?.directory
        mine?.settle(otherName, in: other)
        theirs?.settle(name, in: self)
    }

    private func settle(_ name: PathBytes, in parent: UnionDirectory) {
        self.name = name
        self.parent = parent
        parent.children[name] = Weak(directory: self)
    }

    /// Whether `self` is `other` or above it.
    func isAncestor(of other: UnionDirectory) -> Bool {
        var current: UnionDirectory? = other
        while let directory = current {
            if directory === self { return true }
            current = directory.parent
        }
        return false
    }
}
