#define OPENSSL_SUPPRESS_DEPRECATED
#include "CHash.h"

#include <openssl/sha.h>

_Static_assert(sizeof(chash_context) >= sizeof(SHA256_CTX), "context too small for SHA-256");
_Static_assert(sizeof(chash_context) >= sizeof(SHA512_CTX), "context too small for SHA-512");

void chash_sha256_init(chash_context *context) { SHA256_Init((SHA256_CTX *)context); }

void chash_sha256_update(chash_context *context, const void *bytes, size_t count) {
    SHA256_Update((SHA256_CTX *)context, bytes, count);
}

void chash_sha256_final(chash_context *context, uint8_t *digest) { SHA256_Final(digest, (SHA256_CTX *)context); }

void chash_sha512_init(chash_context *context) { SHA512_Init((SHA512_CTX *)context); }

void chash_sha512_update(chash_context *context, const void *bytes, size_t count) {
    SHA512_Update((SHA512_CTX *)context, bytes, count);
}

void chash_sha512_final(chash_context *context, uint8_t *digest) { SHA512_Final(digest, (SHA512_CTX *)context); }
