/* Cheap stand-ins for the cryptography that takes nearly all of a run's time:
 * signatures are keyed hashes, Diffie-Hellman a hash of both public keys. They
 * keep what the protocol needs (a signature fits one key, domain and message,
 * both sides agree, a public key follows from its secret) and are worth nothing
 * else. The linker puts them in (--wrap, CMakeLists.txt), so no code of ours
 * knows of them; linked without, the same fuzzer runs on the real ones. */

#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <sodium.h>
#include <string.h>

#include "crypto/identity.h"

enum { FAKE_HALF = crypto_shorthash_siphashx24_BYTES };

static void fake_hash(uint8_t out[2 * FAKE_HALF], const uint8_t *bytes,
                      size_t size, const uint8_t key[FAKE_HALF])
{
    uint8_t first[FAKE_HALF];

    crypto_shorthash_siphashx24(first, bytes, size, key);
    memcpy(out, first, FAKE_HALF);
    crypto_shorthash_siphashx24(out + FAKE_HALF, first, sizeof first, key);
}

static void fake_tag(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                     const char *domain, const uint8_t *message, size_t size,
                     const uint8_t key[IDENTITY_KEY_BYTES])
{
    uint8_t inner[2 * FAKE_HALF];

    fake_hash(inner, message, size, key);
    fake_hash(signature, (const uint8_t *)domain, strlen(domain) + 1, inner);
    memcpy(signature + 2 * FAKE_HALF, signature, 2 * FAKE_HALF);
}

void __wrap_identity_generate(struct identity *identity, struct prg *prg);
void __wrap_identity_generate(struct identity *identity, struct prg *prg)
{
    *identity = (struct identity){0};
    prg_bytes(prg, identity->open.sign, IDENTITY_KEY_BYTES);
    memcpy(identity->sign_secret + 32, identity->open.sign, IDENTITY_KEY_BYTES);
}

void __wrap_identity_sign(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                          const char *domain, const uint8_t *message,
                          size_t size,
                          const uint8_t secret[IDENTITY_SECRET_BYTES]);
void __wrap_identity_sign(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                          const char *domain, const uint8_t *message,
                          size_t size,
                          const uint8_t secret[IDENTITY_SECRET_BYTES])
{
    fake_tag(signature, domain, message, size, secret + 32);
}

int __wrap_identity_verify(const uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                           const char *domain, const uint8_t *message,
                           size_t size, const uint8_t key[IDENTITY_KEY_BYTES]);
int __wrap_identity_verify(const uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                           const char *domain, const uint8_t *message,
                           size_t size, const uint8_t key[IDENTITY_KEY_BYTES])
{
    uint8_t expected[IDENTITY_SIGNATURE_BYTES];

    fake_tag(expected, domain, message, size, key);
    return memcmp(expected, signature, sizeof expected) == 0 ? 0 : -1;
}

void __wrap_x25519_base(uint8_t open[X25519_BYTES],
                        const uint8_t secret[X25519_BYTES]);
void __wrap_x25519_base(uint8_t open[X25519_BYTES],
                        const uint8_t secret[X25519_BYTES])
{
    static const uint8_t key[FAKE_HALF];

    fake_hash(open, secret, X25519_BYTES, key);
}

void __wrap_x25519_generate(struct x25519_pair *pair, struct prg *prg);
void __wrap_x25519_generate(struct x25519_pair *pair, struct prg *prg)
{
    prg_bytes(prg, pair->secret, X25519_BYTES);
    __wrap_x25519_base(pair->open, pair->secret);
}

bool __wrap_x25519_is_weak(const uint8_t open[X25519_BYTES]);
bool __wrap_x25519_is_weak(const uint8_t open[X25519_BYTES])
{
    return sodium_is_zero(open, X25519_BYTES);
}

int __wrap_x25519_shared(uint8_t shared[X25519_BYTES],
                         const uint8_t secret[X25519_BYTES],
                         const uint8_t theirs[X25519_BYTES]);
int __wrap_x25519_shared(uint8_t shared[X25519_BYTES],
                         const uint8_t secret[X25519_BYTES],
                         const uint8_t theirs[X25519_BYTES])
{
    uint8_t ours[X25519_BYTES], both[2 * X25519_BYTES];

    __wrap_x25519_base(ours, secret);
    bool first = memcmp(ours, theirs, X25519_BYTES) < 0;
    memcpy(both, first ? ours : theirs, X25519_BYTES);
    memcpy(both + X25519_BYTES, first ? theirs : ours, X25519_BYTES);
    fake_hash(shared, both, sizeof both, both);
    return 0;
}

#endif
