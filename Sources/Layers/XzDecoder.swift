internal import CInflate

/// The .xz format, by liblzma.
final class XzDecoder: Decoder {
    static let magic: [UInt8] = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]

    private let stream: UnsafeMutablePointer<lzma_stream>
    private(set) var hasOutput = false

    init() throws(LayerError) {
        guard let stream = cinflate_xz_new() else { throw .source("out of memory") }
        self.stream = stream
    }

    deinit { cinflate_xz_free(stream) }

    func decode(
        _ input: inout UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(LayerError) -> Int {
        var inputLeft = input.count
        var outputLeft = output.count
        let result = cinflate_xz_step(
            stream, input.baseAddress, &inputLeft, output.baseAddress, &outputLeft, 0)
        // No progress is possible without input, which is no fault yet.
        if result != LZMA_OK, result != LZMA_BUF_ERROR || !input.isEmpty { throw XzDecoder.damage(result) }
        input = UnsafeRawBufferPointer(rebasing: input[(input.count - inputLeft)...])
        hasOutput = outputLeft == 0
        return output.count - outputLeft
    }

    func finish() throws(LayerError) {
        var none = 0
        var room = 0
        let result = cinflate_xz_step(stream, nil, &none, nil, &room, 1)
        if result != LZMA_STREAM_END { throw XzDecoder.damage(result) }
    }

    private static func damage(_ result: lzma_ret) -> LayerError {
        let reason =
            switch result {
            case LZMA_BUF_ERROR: "cut before the end"
            case LZMA_MEMLIMIT_ERROR: "it wants more memory than 256 MiB"
            case LZMA_FORMAT_ERROR, LZMA_OPTIONS_ERROR: "unknown format"
            default: "wrong data"
            }
        return .source("damaged xz data: \(reason)")
    }
}
