internal import FuzzTargets
internal import Glibc

// libFuzzer has main; RUNIMG_FUZZ_TARGET names the target.

private let target: FuzzTarget? = {
    let name = getenv("RUNIMG_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    return FuzzTarget.all.first { $0.name == name }
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let target else { stop("RUNIMG_FUZZ_TARGET names none of \(FuzzTarget.all.map(\.name))") }
    do throws(Finding) {
        try target.run(Array(UnsafeBufferPointer(start: data, count: count)))
    } catch {
        stop("\(target.name): \(error)")
    }
    return 0
}

/// After each mutation, before the input is tried; `count` bytes of `data` are the input.
@_cdecl("runimg_fuzz_repair")
public func repair(_ data: UnsafeMutablePointer<UInt8>, _ count: Int) {
    guard let target, target.isTar else { return }
    var bytes = Array(UnsafeBufferPointer(start: data, count: count))
    TarSeal.sealAll(&bytes)
    data.update(from: bytes, count: count)
}

private func stop(_ message: String) -> Never {
    let line = Array("FINDING \(message)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    abort()
}
