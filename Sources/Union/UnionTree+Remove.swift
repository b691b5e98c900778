internal import Glibc
package import Sys

extension UnionTree {
    package func unlink(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) {
        let entry = try require(name, in: directory)
        if try top(of: entry, in: directory).status.isDirectory { throw .isDirectory }
        let upper = try upper(of: directory)
        if try needsWhiteout(name, entry, in: directory) {
            try whiteOut(name, entry, in: upper)
        } else {
            try File.unlink(name, at: upper.raw)
        }
    }

    package func removeDirectory(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) {
        let entry = try require(name, in: directory)
        if try !top(of: entry, in: directory).status.isDirectory { throw .notDirectory }
        try checkEmpty(name, in: directory)
        let upper = try upper(of: directory)
        if try needsWhiteout(name, entry, in: directory) {
            try whiteOut(name, entry, in: upper)
        } else {
            do throws(Errno) {
                try Directory.remove(name, at: upper.raw)
            } catch .notEmpty {
                // Whiteouts of a time when there was something below.
                let temporary = try work.freshName()
                try takeOut(name, of: upper, temporary, [])
                work.discard(temporary)
            }
        }
        directory.removed(name)
    }

    private func needsWhiteout(
        _ name: PathBytes, _ entry: Entry, in directory: UnionDirectory
    ) throws(Errno) -> Bool {
        if entry.upper == nil { return true }
        return try isBelow(name, in: directory)
    }

    /// Puts a whiteout in the place of what the upper layer has, by one step.
    private func whiteOut(
        _ name: PathBytes, _ entry: Entry, in upper: UnionDirectory.OpenDirectory
    ) throws(Errno) {
        guard let status = entry.upper else {
            if try OverlayMarks.makeDevice(name, at: upper.raw) { return }
            return try placeMade(name, in: upper, .noReplace) { (temporary) throws(Errno) in
                try marks.makeMarkedFile(temporary, at: work.fd, for: upper.raw)
            }
        }
        try placeMade(name, in: upper, status.isDirectory ? .exchange : []) { (temporary) throws(Errno) in
            try marks.makeWhiteout(temporary, at: work.fd, for: upper.raw)
        }
    }

    /// Makes something in the work directory and gives it the place of `name`, by one step; what it takes the place of goes.
    func placeMade(
        _ name: PathBytes, in upper: UnionDirectory.OpenDirectory, _ flags: File.RenameFlags,
        _ make: (PathBytes) throws(Errno) -> Void
    ) throws(Errno) {
        let temporary = try work.freshName()
        do throws(Errno) {
            try make(temporary)
            if flags == .exchange {
                try takeOut(name, of: upper, temporary, flags)
            } else {
                try File.rename(temporary, at: work.fd, to: name, at: upper.raw, flags)
            }
        } catch {
            work.discard(temporary)
            throw error
        }
        if flags == .exchange { work.discard(temporary) }
    }

    /// Moves a directory that shows nothing into the work directory, for nothing or for what is there.
    private func takeOut(
        _ name: PathBytes, of upper: UnionDirectory.OpenDirectory, _ temporary: PathBytes, _ flags: File.RenameFlags
    ) throws(Errno) {
        do throws(Errno) {
            try File.rename(name, at: upper.raw, to: temporary, at: work.fd, flags)
        } catch .accessDenied {
            // Whoever has no privilege moves only directories that may be written to.
            let leaving = try File.status(name, at: upper.raw)
            try File.setMode(name, at: upper.raw, 0o700)
            let coming = flags == .exchange ? try File.status(temporary, at: work.fd) : nil
            let mode = coming?.isDirectory == true ? coming?.mode : nil
            do throws(Errno) {
                if let mode { try File.setMode(temporary, at: work.fd, mode | 0o700) }
                try File.rename(name, at: upper.raw, to: temporary, at: work.fd, flags)
            } catch {
                try? File.setMode(name, at: upper.raw, leaving.mode)
                throw error
            }
            if let mode { try File.setMode(name, at: upper.raw, mode) }
        }
    }

    /// Replaces a directory in the upper layer that shows nothing, but has whiteouts in it, by an empty one.
    func clear(_ name: PathBytes, in upper: UnionDirectory.OpenDirectory) throws(Errno) {
        let old = try open(name, in: upper)
        if try Directory.names(old.raw).isEmpty { return }
        try placeMade(name, in: upper, .exchange) { (temporary) throws(Errno) in
            let fresh = try makeEmptyDirectory(temporary)
            try copyAttributes(of: try File.status(old.raw), from: old.raw, to: fresh.raw)
        }
    }

    /// Makes a directory in the work directory that hides what is below the place it gets.
    func makeEmptyDirectory(_ temporary: PathBytes) throws(Errno) -> OwnedFD {
        try Directory.make(temporary, mode: 0o700, at: work.fd)
        let fresh = try File.open(temporary, O_RDONLY | O_DIRECTORY, at: work.fd)
        try ExtendedAttributes.set(fresh.raw, marks.opaque, OverlayMarks.opaqueValue)
        return fresh
    }
}
