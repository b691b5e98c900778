#include "Mutator.h"

// libFuzzer's own mutation, then the check sums, which it cannot guess. One in sixteen stays as it is.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 16 != 0) runimg_fuzz_repair(data, (long)size);
    return size;
}
