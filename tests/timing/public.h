/* What both timing tests declare public about libsodium's results; the linker
 * puts these in the way (--wrap in CMakeLists.txt). */

#ifndef TESTS_PUBLIC_H
#define TESTS_PUBLIC_H

#include <stdint.h>

#include "timing/taint.h"

/* Not 0 if the point, which is public, is of low order: the scalar is clamped.
 */
int __real_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p);
int __wrap_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p);
int __wrap_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p)
{
    return taint_public_int(__real_crypto_scalarmult(q, n, p));
}

/* Whether a message opens is public: its sender sees what follows. libsodium
 * branches on it before it decrypts, so nothing is reported from there; how it
 * checks the tag (no output) and how it encrypts is watched. */
int __real_crypto_aead_xchacha20poly1305_ietf_decrypt(
    uint8_t *out, unsigned long long *out_size, uint8_t *none,
    const uint8_t *in, unsigned long long in_size, const uint8_t *context,
    unsigned long long context_size, const uint8_t *nonce, const uint8_t *key);
int __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(
    uint8_t *out, unsigned long long *out_size, uint8_t *none,
    const uint8_t *in, unsigned long long in_size, const uint8_t *context,
    unsigned long long context_size, const uint8_t *nonce, const uint8_t *key);
int __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(
    uint8_t *out, unsigned long long *out_size, uint8_t *none,
    const uint8_t *in, unsigned long long in_size, const uint8_t *context,
    unsigned long long context_size, const uint8_t *nonce, const uint8_t *key)
{
    int status;

    if (out != NULL)
        taint_pause();
    status = taint_public_int(__real_crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, out_size, none, in, in_size, context, context_size, nonce, key));
    if (out != NULL)
        taint_resume();
    return status;
}

#endif
