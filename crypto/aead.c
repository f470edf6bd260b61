#include "crypto/aead.h"

#include <sodium.h>
#include <string.h>

static void seal(uint8_t *sealed, const uint8_t *plain, size_t size,
                 const uint8_t *context, size_t context_size,
                 const uint8_t nonce[AEAD_NONCE_BYTES],
                 const uint8_t key[AEAD_KEY_BYTES])
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed, NULL, plain, size, context, context_size, NULL, nonce, key);
}

/* libsodium overwrites the output of a failed opening: check first, with no
 * output. */
static int unseal(uint8_t *plain, const uint8_t *sealed, size_t sealed_size,
                  const uint8_t *context, size_t context_size,
                  const uint8_t nonce[AEAD_NONCE_BYTES],
                  const uint8_t key[AEAD_KEY_BYTES])
{
    if (sealed_size < AEAD_TAG_BYTES)
        return -1;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            NULL, NULL, NULL, sealed, sealed_size, context, context_size, nonce,
            key) != 0)
        return -1;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed,
                                                      sealed_size, context,
                                                      context_size, nonce, key);
}

static const uint8_t zero[AEAD_NONCE_BYTES];

void aead_seal(uint8_t *sealed, const uint8_t *plain, size_t size,
               const uint8_t *context, size_t context_size,
               const uint8_t key[AEAD_KEY_BYTES])
{
    seal(sealed, plain, size, context, context_size, zero, key);
}

int aead_open(uint8_t *plain, const uint8_t *sealed, size_t sealed_size,
              const uint8_t *context, size_t context_size,
              const uint8_t key[AEAD_KEY_BYTES])
{
    return unseal(plain, sealed, sealed_size, context, context_size, zero, key);
}

void aead_box(uint8_t *boxed, const uint8_t *plain, size_t size,
              const uint8_t *context, size_t context_size,
              const uint8_t key[AEAD_KEY_BYTES], struct prg *prg)
{
    prg_bytes(prg, boxed, AEAD_NONCE_BYTES);
    seal(boxed + AEAD_NONCE_BYTES, plain, size, context, context_size, boxed,
         key);
}

int aead_unbox(uint8_t *plain, const uint8_t *boxed, size_t boxed_size,
               const uint8_t *context, size_t context_size,
               const uint8_t key[AEAD_KEY_BYTES])
{
    if (boxed_size < AEAD_NONCE_BYTES)
        return -1;
    return unseal(plain, boxed + AEAD_NONCE_BYTES,
                  boxed_size - AEAD_NONCE_BYTES, context, context_size, boxed,
                  key);
}
