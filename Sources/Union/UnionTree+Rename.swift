internal import Glibc
package import Sys

extension UnionTree {
    /// One of the two names of a rename, as it is before.
    private struct Side {
        let name: PathBytes
        let directory: UnionDirectory
        let found: Found
        /// What the name stands for; nil for nothing.
        let status: FileStatus?

        var entry: Entry? {
            if case .present(let entry) = found { return entry }
            return nil
        }
        var isWhiteout: Bool {
            if case .absent(let whiteout) = found { return whiteout }
            return false
        }
        var isDirectory: Bool { status?.isDirectory == true }
        /// A directory with a part in a lower layer: moving it would mean copying all of it.
        var isBound: Bool { isDirectory && entry?.isMergedOrLower == true }
    }

    /// renameat2(2) with RENAME_NOREPLACE, RENAME_EXCHANGE or nothing. EXDEV for a directory that has a part in a lower
    /// layer: its entries would have to be copied one by one, which programs do themselves then (overlayfs.rst,
    /// "renaming directories").
    package func rename(
        _ name: PathBytes, in directory: UnionDirectory, to newName: PathBytes, in newDirectory: UnionDirectory,
        _ flags: File.RenameFlags = []
    ) throws(Errno) {
        if flags.contains(.whiteout) || flags == [.noReplace, .exchange] { throw .invalid }
        let old = try side(name, directory)
        let new = try side(newName, newDirectory)
        guard let source = old.entry else { throw .noEntry }
        try checkNames(old, new, flags)
        if try isOneFile(old, new) { return }
        if !flags.contains(.exchange), let status = new.status {
            if old.isDirectory, !status.isDirectory { throw .notDirectory }
            if !old.isDirectory, status.isDirectory { throw .isDirectory }
        }
        if old.isBound || (flags.contains(.exchange) && new.isBound) { throw .crossDevice }
        try copyUp(name, source, in: directory)
        try upper(of: newDirectory)
        if flags.contains(.exchange) {
            try exchange(old, new)
        } else {
            try move(old, to: new)
        }
    }

    private func side(_ name: PathBytes, _ directory: UnionDirectory) throws(Errno) -> Side {
        let found = try find(name, in: directory)
        guard case .present(let entry) = found else {
            return Side(name: name, directory: directory, found: found, status: nil)
        }
        return Side(name: name, directory: directory, found: found, status: try top(of: entry, in: directory).status)
    }

    private func checkNames(_ old: Side, _ new: Side, _ flags: File.RenameFlags) throws(Errno) {
        if flags.contains(.noReplace), new.entry != nil { throw .exists }
        if flags.contains(.exchange), new.entry == nil { throw .noEntry }
        if old.isDirectory, let held = old.directory.held(old.name), held.isAncestor(of: new.directory) {
            throw .invalid
        }
        if new.isDirectory, let held = new.directory.held(new.name), held.isAncestor(of: old.directory) {
            throw flags.contains(.exchange) ? .invalid : .notEmpty
        }
    }

    /// Renaming a file to another name of itself does nothing (rename(2)). Names in a lower layer are files of their own.
    private func isOneFile(_ old: Side, _ new: Side) throws(Errno) -> Bool {
        if old.directory === new.directory, old.name == new.name { return true }
        guard let first = old.entry?.upper, let second = new.entry?.upper else { return false }
        return first.isSameFile(as: second)
    }

    private func exchange(_ old: Side, _ new: Side) throws(Errno) {
        guard let other = new.entry else { throw .noEntry }
        try copyUp(new.name, other, in: new.directory)
        try hideBelow(old, in: new.directory)
        try hideBelow(new, in: old.directory)
        let (from, to) = (try upper(of: old.directory), try upper(of: new.directory))
        try File.rename(old.name, at: from.raw, to: new.name, at: to.raw, .exchange)
        old.directory.exchanged(old.name, with: new.name, in: new.directory)
    }

    private func move(_ old: Side, to new: Side) throws(Errno) {
        let (from, to) = (try upper(of: old.directory), try upper(of: new.directory))
        if new.isBound {
            try checkEmpty(new.name, in: new.directory)
            if new.entry?.upper != nil {
                try clear(new.name, in: to)
                new.directory.removed(new.name)
            }
        }
        try hideBelow(old, in: new.directory)
        let leavesWhiteout = try isBelow(old.name, in: old.directory)
        if new.isWhiteout, leavesWhiteout || old.isDirectory {
            try trade(old, forWhiteout: new, leavesWhiteout: leavesWhiteout)
        } else if leavesWhiteout {
            try moveLeavingWhiteout(old, new)
        } else {
            try File.rename(old.name, at: from.raw, to: new.name, at: to.raw, [])
        }
        old.directory.moved(old.name, to: new.name, in: new.directory)
    }

    /// By one step, after which the whiteout of the new name has the old one.
    private func trade(_ old: Side, forWhiteout new: Side, leavesWhiteout: Bool) throws(Errno) {
        let (from, to) = (try upper(of: old.directory), try upper(of: new.directory))
        if try !File.status(new.name, at: to.raw).isWhiteout {
            // A marked file, which is one only where its directory says so.
            if leavesWhiteout {
                try marks.expectMarkedFiles(from.raw)
            } else {
                try placeMade(new.name, in: to, .exchange) { (empty) throws(Errno) in
                    _ = try makeEmptyDirectory(empty)
                }
                return try File.rename(old.name, at: from.raw, to: new.name, at: to.raw, [])
            }
        }
        try File.rename(old.name, at: from.raw, to: new.name, at: to.raw, .exchange)
        // Nothing is below: the whiteout hides nothing, and would only stay.
        if !leavesWhiteout { try? File.unlink(old.name, at: from.raw) }
    }

    /// RENAME_WHITEOUT; in steps where the file system makes no device 0:0. A kill between them leaves a file with both
    /// names, as rename(2) itself may (overlayfs's, NFS), and of a directory an empty one beside it. Nothing is lost.
    private func moveLeavingWhiteout(_ old: Side, _ new: Side) throws(Errno) {
        let (from, to) = (try upper(of: old.directory), try upper(of: new.directory))
        do throws(Errno) {
            return try File.rename(old.name, at: from.raw, to: new.name, at: to.raw, .whiteout)
        } catch {
            guard error == .invalid, FileSystemName.isOverlay(from.raw) else { throw error }
        }
        if !old.isDirectory {
            try placeMade(new.name, in: to, []) { (link) throws(Errno) in
                try File.link(old.name, at: from.raw, to: link, at: work.fd)
            }
        } else {
            if new.status == nil {
                try placeMade(new.name, in: to, .noReplace) { (empty) throws(Errno) in
                    _ = try makeEmptyDirectory(empty)
                }
            } else {
                try hideBelow(new, in: old.directory)
            }
            try File.rename(old.name, at: from.raw, to: new.name, at: to.raw, .exchange)
        }
        try placeMade(old.name, in: from, old.isDirectory ? .exchange : []) { (mark) throws(Errno) in
            try marks.makeWhiteout(mark, at: work.fd, for: from.raw)
        }
    }

    /// A directory of the upper layer alone must stay that where a lower layer has the name.
    private func hideBelow(_ side: Side, in target: UnionDirectory) throws(Errno) {
        guard side.isDirectory, !target.lowers.isEmpty else { return }
        let parent = try upper(of: side.directory)
        if let directory = try? open(side.name, in: parent) { try marks.removeMarkedFiles(in: directory.raw) }
        try markOpaque(side.name, at: parent.raw)
    }
}
