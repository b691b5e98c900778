internal import Sys

/// overlayfs over docker's directory layout.
package struct Overlay2: RootfsDriver {
    package static let name = "overlay2"

    /// OVL_MAX_STACK of the kernel.
    package static let maximumLayers = 500
    /// What strndup_user in fsconfig(2) takes, less the NUL.
    private static let longestValue = 255
    /// One page for mount(2), less the NUL.
    private static let longestOptions = 4095

    private let appendsLayers: Bool

    /// `appendsLayers`: whether the kernel takes layers one by one; false takes the option string.
    package init(appendsLayers: Bool = MountAPI.overlayAppendsLayers) { self.appendsLayers = appendsLayers }

    package func mount(_ stack: LayerStack) throws(RootfsError) -> RootfsMount {
        if stack.layers.isEmpty { throw .noLayers }
        if stack.layers.count > Overlay2.maximumLayers {
            throw .tooManyLayers(count: stack.layers.count, limit: Overlay2.maximumLayers)
        }
        let step = appendsLayers ? try oneByOne(stack) : try optionString(stack)
        return RootfsMount(step: step, mountPoint: stack.mountPoint, readOnly: stack.readOnly)
    }

    /// An upper layer must stay whole by itself, for commit and diff, and independent of the layers' inodes.
    private func switches(_ stack: LayerStack) -> [MountOption] {
        // Not `off`, which follows what there is where the module says redirect_always_follow.
        let redirect = MountOption("redirect_dir", "nofollow")
        let always = [MountOption("index", "off"), redirect, MountOption("metacopy", "off")]
        let marks = stack.usesUserAttributes ? [MountOption("userxattr")] : []
        return always + marks + (stack.discardable ? [MountOption("volatile")] : [])
    }

    private func writable(_ stack: LayerStack, escaping special: String) -> [MountOption] {
        guard let writable = stack.writable else { return [] }
        return [
            MountOption("upperdir", escape(relative(writable.upper, to: stack.base), special)),
            MountOption("workdir", escape(relative(writable.work, to: stack.base), special)),
        ]
    }

    private func oneByOne(_ stack: LayerStack) throws(RootfsError) -> RootfsMount.Step {
        var options = [MountOption("source", "overlay")]
        for layer in stack.layers { options.append(MountOption("lowerdir+", relative(layer, to: stack.base))) }
        // Unlike `lowerdir+`, these two drop backslashes.
        options += writable(stack, escaping: "\\")
        for value in options.compactMap(\.value) where value.utf8.count > Overlay2.longestValue {
            throw .pathTooLong(path: value, limit: Overlay2.longestValue)
        }
        return .filesystem(type: "overlay", options: options + switches(stack), workingDirectory: stack.base)
    }

    private func optionString(_ stack: LayerStack) throws(RootfsError) -> RootfsMount.Step {
        let lower = stack.layers.map { escape(shortLink($0, base: stack.base), "\\,:") }.joined(separator: ":")
        var options = [MountOption("lowerdir", lower)]
        options += writable(stack, escaping: "\\,")
        let text = (options + switches(stack)).map(\.description).joined(separator: ",")
        if text.utf8.count > Overlay2.longestOptions {
            throw .optionsTooLong(
                layers: stack.layers.count, bytes: text.utf8.count, limit: Overlay2.longestOptions)
        }
        return .optionString(type: "overlay", options: text, workingDirectory: stack.base)
    }

    /// `l/SHORT` of the layer, whose name stands in the file `link` beside it; its path where it has none.
    private func shortLink(_ layer: String, base: String) -> String {
        let (directory, _) = Path.split(layer)
        guard let bytes = try? File.readAll("\(directory)/link", limit: 256) else { return relative(layer, to: base) }
        let name = String(decoding: bytes, as: UTF8.self)
        let plain = !name.isEmpty && name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 > 0x20 && $0 < 0x7f }
        return plain && File.exists("\(base)/l/\(name)") ? "l/\(name)" : relative(layer, to: base)
    }

    /// Bytes, not characters: a path that only looks like one below `base` is another.
    private func relative(_ path: String, to base: String) -> String {
        let prefix = base.utf8.last == UInt8(ascii: "/") ? base : base + "/"
        guard path.utf8.starts(with: prefix.utf8), path.utf8.count > prefix.utf8.count else { return path }
        return String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    private func escape(_ path: String, _ special: String) -> String {
        if !path.utf8.contains(where: { special.utf8.contains($0) }) { return path }
        let escaped = path.utf8.flatMap { special.utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
        return String(decoding: escaped, as: UTF8.self)
    }
}
