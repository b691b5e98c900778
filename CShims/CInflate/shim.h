// Thin helpers over ISA-L: its state is 90 KB with arrays that Swift's importer makes tuples of.
#ifndef CINFLATE_SHIM_H
#define CINFLATE_SHIM_H

#include <isa-l/igzip_lib.h>
#include <limits.h>
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

#endif
