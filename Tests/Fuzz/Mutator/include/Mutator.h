// Hooks of libFuzzer (llvm.org/docs/LibFuzzer.html) that only C can declare.
#pragma once
#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

// libFuzzer's.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

// The driver's, in Swift.
void runimg_fuzz_repair(uint8_t *data, long size);
