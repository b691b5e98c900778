internal import CCurl
internal import Sys

/// The body of a request as libcurl's callbacks take it. It can't be wound back: libcurl would repeat a request by itself
/// whose connection died, and a registry appends what it is given to what it has.
final class Upload {
    private let source: UploadSource
    private var position: Int64 = 0
    private(set) var fault: Fault?

    init(_ source: UploadSource) { self.source = source }

    /// Points libcurl at this body, which must outlive the perform.
    func install(on handle: UnsafeMutableRawPointer) {
        ccurl_set_upload(
            handle,
            { bytes, size, count, user in Upload.of(user)?.read(bytes, size * count) ?? Int(CURL_READFUNC_ABORT) },
            Unmanaged.passUnretained(self).toOpaque(), curl_off_t(source.length))
    }

    private static func of(_ user: UnsafeMutableRawPointer?) -> Upload? {
        user.map { Unmanaged<Upload>.fromOpaque($0).takeUnretainedValue() }
    }

    private func read(_ target: UnsafeMutablePointer<CChar>?, _ room: Int) -> Int {
        guard let target else { return Int(CURL_READFUNC_ABORT) }
        let count = Int(min(Int64(room), source.length - position))
        if count == 0 { return 0 }
        let buffer = UnsafeMutableRawBufferPointer(start: target, count: count)
        switch source {
        case .bytes(let bytes):
            buffer.copyBytes(from: bytes[Int(position)..<Int(position) + count])
            position += Int64(count)
            return count
        case .file(let file, let offset, _, let progress):
            do throws(Errno) {
                let got = try File.read(file, into: buffer, at: offset + position)
                if got == 0 { throw .inputOutput }
                position += Int64(got)
                progress(position)
                return got
            } catch {
                fault = .file(operation: "read", error)
                return Int(CURL_READFUNC_ABORT)
            }
        }
    }
}
