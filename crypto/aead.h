/* Authenticated encryption: XChaCha20-Poly1305 (libsodium's IETF variant).
 *
 * Two uses. Shares between members: one key for one message, so the nonce is
 * zero. Records on disk: a random nonce is stored in front. */

#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"

enum { AEAD_KEY_BYTES = 32, AEAD_TAG_BYTES = 16, AEAD_NONCE_BYTES = 24 };

/* sealed[size + AEAD_TAG_BYTES]. A key must be used for one message only. */
void aead_seal(uint8_t *sealed, const uint8_t *plain, size_t size,
               const uint8_t *context, size_t context_size,
               const uint8_t key[AEAD_KEY_BYTES]);

/* plain[sealed_size - AEAD_TAG_BYTES]. Returns 0, or -1 if `sealed` is too
 * short or was not made with this key and context; plain is then untouched. */
int aead_open(uint8_t *plain, const uint8_t *sealed, size_t sealed_size,
              const uint8_t *context, size_t context_size,
              const uint8_t key[AEAD_KEY_BYTES]);

/* The same for any number of messages under one key:
 * boxed[AEAD_NONCE_BYTES + size + AEAD_TAG_BYTES], nonce drawn from prg. */
void aead_box(uint8_t *boxed, const uint8_t *plain, size_t size,
              const uint8_t *context, size_t context_size,
              const uint8_t key[AEAD_KEY_BYTES], struct prg *prg);
int aead_unbox(uint8_t *plain, const uint8_t *boxed, size_t boxed_size,
               const uint8_t *context, size_t context_size,
               const uint8_t key[AEAD_KEY_BYTES]);

#endif
