internal import CLinux

/// The arguments that this process was started with. Not by way of `CommandLine`: that looks for them on the stack, whose
/// place it reads from /proc/self/maps, and finds none where no file can be opened.
package enum ProcessArguments {
    /// The last part of the name that this process was started by.
    package static var programName: String {
        guard let bytes = clinux_argument(0) else { return "" }
        return Path.split(String(cString: bytes)).name
    }

    /// Without the program's name; nil when one is not UTF-8.
    package static var all: [String]? {
        var result: [String] = []
        var index: Int32 = 1
        while clinux_argument(0) != nil, let bytes = clinux_argument(index) {
            guard let text = String(validatingCString: bytes) else { return nil }
            result.append(text)
            index += 1
        }
        return result
    }
}
