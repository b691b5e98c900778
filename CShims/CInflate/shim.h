// Thin helpers over ISA-L: its states are large, with arrays that Swift's importer makes tuples of.
#ifndef CINFLATE_SHIM_H
#define CINFLATE_SHIM_H

#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <lzma.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zstd.h>

typedef struct cinflate_gzip {
    struct inflate_state state;
} cinflate_gzip;

/// Makes ready for the header of a (further) gzip member.
static inline void cinflate_gzip_reset(cinflate_gzip *gzip) {
    isal_inflate_reset(&gzip->state);
    gzip->state.crc_flag = ISAL_GZIP;
}

static inline cinflate_gzip *cinflate_gzip_new(void) {
    cinflate_gzip *gzip = (cinflate_gzip *)calloc(1, sizeof(cinflate_gzip));
    if (gzip) {
        isal_inflate_init(&gzip->state);
        cinflate_gzip_reset(gzip);
    }
    return gzip;
}

static inline void cinflate_gzip_free(cinflate_gzip *gzip) { free(gzip); }

/// One step of isal_inflate(); the counts become what is left of both buffers. Returns its status (negative: error)
/// and in `finished` whether the member ended, its CRC and length being right.
static inline int cinflate_gzip_step(cinflate_gzip *gzip, const void *input, size_t *input_count, void *output,
                                     size_t *output_count, int *finished) {
    uint32_t in = *input_count > UINT32_MAX ? UINT32_MAX : (uint32_t)*input_count;
    uint32_t out = *output_count > UINT32_MAX ? UINT32_MAX : (uint32_t)*output_count;
    gzip->state.next_in = (uint8_t *)(uintptr_t)input;
    gzip->state.avail_in = in;
    gzip->state.next_out = (uint8_t *)output;
    gzip->state.avail_out = out;
    int status = isal_inflate(&gzip->state);
    *input_count -= in - gzip->state.avail_in;
    *output_count -= out - gzip->state.avail_out;
    *finished = gzip->state.block_state == ISAL_BLOCK_FINISH;
    return status;
}

/// A reader of .xz files, which may be several one behind the other; NULL without memory. `xz -9` wants 65 MiB.
static inline lzma_stream *cinflate_xz_new(void) {
    lzma_stream *stream = (lzma_stream *)calloc(1, sizeof(lzma_stream));
    if (stream && lzma_stream_decoder(stream, (uint64_t)256 << 20, LZMA_CONCATENATED) != LZMA_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

static inline void cinflate_xz_free(lzma_stream *stream) {
    lzma_end(stream);
    free(stream);
}

/// One step of lzma_code(); the counts become what is left of both buffers.
static inline lzma_ret cinflate_xz_step(lzma_stream *stream, const void *input, size_t *input_count, void *output,
                                        size_t *output_count, int ends) {
    stream->next_in = (const uint8_t *)input;
    stream->avail_in = *input_count;
    stream->next_out = (uint8_t *)output;
    stream->avail_out = *output_count;
    lzma_ret result = lzma_code(stream, ends ? LZMA_FINISH : LZMA_RUN);
    *input_count = stream->avail_in;
    *output_count = stream->avail_out;
    return result;
}

typedef struct cinflate_deflate {
    struct isal_zstream stream;
    uint8_t level_buffer[ISAL_DEF_LVL3_DEFAULT];
} cinflate_deflate;

/// Makes gzip at ISA-L's best level, without a name or a time: the same bytes make the same bytes.
static inline cinflate_deflate *cinflate_deflate_new(void) {
    cinflate_deflate *deflate = (cinflate_deflate *)calloc(1, sizeof(cinflate_deflate));
    if (deflate) {
        isal_deflate_init(&deflate->stream);
        deflate->stream.level = 3;
        deflate->stream.level_buf = deflate->level_buffer;
        deflate->stream.level_buf_size = sizeof(deflate->level_buffer);
        deflate->stream.gzip_flag = IGZIP_GZIP;
        deflate->stream.flush = NO_FLUSH;
    }
    return deflate;
}

static inline void cinflate_deflate_free(cinflate_deflate *deflate) { free(deflate); }

/// One step of isal_deflate(); the counts become what is left of both buffers, `ends` says that no input follows. Returns
/// its status (negative: error) and in `finished` whether all is written.
static inline int cinflate_deflate_step(cinflate_deflate *deflate, const void *input, size_t *input_count, void *output,
                                        size_t *output_count, int ends, int *finished) {
    uint32_t in = *input_count > UINT32_MAX ? UINT32_MAX : (uint32_t)*input_count;
    uint32_t out = *output_count > UINT32_MAX ? UINT32_MAX : (uint32_t)*output_count;
    deflate->stream.next_in = (uint8_t *)(uintptr_t)input;
    deflate->stream.avail_in = in;
    deflate->stream.next_out = (uint8_t *)output;
    deflate->stream.avail_out = out;
    deflate->stream.end_of_stream = ends && in == *input_count;
    int status = isal_deflate(&deflate->stream);
    *input_count -= in - deflate->stream.avail_in;
    *output_count -= out - deflate->stream.avail_out;
    *finished = deflate->stream.internal_state.state == ZSTATE_END;
    return status;
}

#endif
