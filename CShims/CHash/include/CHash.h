// SHA-2 by OpenSSL's low-level functions: they pull only the digest code into a static program, not libcrypto's
// provider machinery (FIPS 180-4).
#ifndef CHASH_H
#define CHASH_H

#include <stddef.h>
#include <stdint.h>

enum { CHASH_SHA256_SIZE = 32, CHASH_SHA512_SIZE = 64 };

/// Room for the larger of the two contexts of OpenSSL; checked at compile time in CHash.c.
typedef struct {
    uint64_t opaque[32];
} chash_context;

void chash_sha256_init(chash_context *context);
void chash_sha256_update(chash_context *context, const void *bytes, size_t count);
void chash_sha256_final(chash_context *context, uint8_t *digest);

void chash_sha512_init(chash_context *context);
void chash_sha512_update(chash_context *context, const void *bytes, size_t count);
void chash_sha512_final(chash_context *context, uint8_t *digest);

#endif
