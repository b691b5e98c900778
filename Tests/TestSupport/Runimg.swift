internal import Glibc
internal import Sys

/// The program under test.
package enum Runimg {
    /// Where the executables are: those that users get when `make test` runs us, else the debug build's.
    package static let binaryDirectory: String = {
        if let directory = getenv("RUNIMG_BIN_DIR") {
            let path = String(cString: directory)
            return path.hasPrefix("/") ? path : "\(PackageTree.root)/\(path)"
        }
        return "\(PackageTree.root)/.build/debug"
    }()

    package static let path = "\(binaryDirectory)/runimg"
    package static let workerPath = "\(binaryDirectory)/runimg-image"
}
