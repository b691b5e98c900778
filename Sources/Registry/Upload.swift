internal import CCurl
internal import Sys

/// The body of a request as libcurl's callbacks take it, from its beginning once more where a request is repeated.
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
            { user, offset, origin in Upload.of(user)?.seek(offset, origin) ?? CURL_SEEKFUNC_FAIL },
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

    private func seek(_ offset: curl_off_t, _ origin: Int32) -> Int32 {
        guard origin == SEEK_SET_NUMBER, (0...source.length).contains(Int64(offset)) else { return CURL_SEEKFUNC_FAIL }
        position = Int64(offset)
        return CURL_SEEKFUNC_OK
    }
}

/// SEEK_SET of stdio.h, all that libcurl asks for.
private let SEEK_SET_NUMBER: Int32 = 0
