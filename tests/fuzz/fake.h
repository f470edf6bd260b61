/* Cheap stand-ins for the cryptography that takes nearly all of a run's time:
 * signatures are keyed hashes, Diffie-Hellman a hash of both public keys, and
 * BLAKE2b some multiplications. They keep what the protocol needs (a signature
 * fits one key, domain and message, both sides agree, a public key follows from
 * its secret, other bytes hash otherwise) and are worth nothing else. The
 * linker puts them in (--wrap, CMakeLists.txt), so no code of ours knows of
 * them; linked without, the same fuzzer runs on the real ones. */

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

enum { FAKE_BLOCK = 32, FAKE_WIPE_MAX = 1 << 14 };

/* What an engine wipes at its end, mostly never touched; smaller is wiped. */
void __wrap_sodium_memzero(void *bytes, size_t size);
void __wrap_sodium_memzero(void *bytes, size_t size)
{
    if (size <= FAKE_WIPE_MAX)
        memset(bytes, 0, size);
}

/* In place of BLAKE2b's: equal bytes give equal hashes, however they were cut;
 * nobody here searches for a collision. */
struct fake_state {
    uint64_t lanes[4];
    uint8_t block[FAKE_BLOCK];
    uint64_t size;
};

static void fake_mix(struct fake_state *s, const uint8_t block[FAKE_BLOCK])
{
    uint64_t words[4];

    memcpy(words, block, sizeof words);
    for (int i = 0; i < 4; i++) {
        uint64_t x = (s->lanes[i] ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        s->lanes[i] = (x << 29 | x >> 35) + s->lanes[(i + 1) % 4];
    }
}

int __wrap_crypto_generichash_update(crypto_generichash_state *state,
                                     const uint8_t *bytes,
                                     unsigned long long size);
int __wrap_crypto_generichash_update(crypto_generichash_state *state,
                                     const uint8_t *bytes,
                                     unsigned long long size)
{
    struct fake_state *s = (struct fake_state *)(void *)state;

    while (size > 0) {
        size_t at = s->size % FAKE_BLOCK, count = FAKE_BLOCK - at;
        if (count > size)
            count = size;
        memcpy(s->block + at, bytes, count);
        s->size += count;
        bytes += count;
        size -= count;
        if (at + count == FAKE_BLOCK)
            fake_mix(s, s->block);
    }
    return 0;
}

int __wrap_crypto_generichash_init(crypto_generichash_state *state,
                                   const uint8_t *key, size_t key_size,
                                   size_t out_size);
int __wrap_crypto_generichash_init(crypto_generichash_state *state,
                                   const uint8_t *key, size_t key_size,
                                   size_t out_size)
{
    struct fake_state *s = (struct fake_state *)(void *)state;

    *s = (struct fake_state){.lanes = {1 + key_size, 2 + out_size, 3, 4}};
    if (key_size > 0)
        __wrap_crypto_generichash_update(state, key, key_size);
    return 0;
}

int __wrap_crypto_generichash_final(crypto_generichash_state *state,
                                    uint8_t *out, size_t size);
int __wrap_crypto_generichash_final(crypto_generichash_state *state,
                                    uint8_t *out, size_t size)
{
    struct fake_state *s = (struct fake_state *)(void *)state;

    memset(s->block + s->size % FAKE_BLOCK, 0,
           FAKE_BLOCK - s->size % FAKE_BLOCK);
    fake_mix(s, s->block);
    memcpy(s->block, &s->size, sizeof s->size);
    for (int i = 0; i < 4; i++)
        fake_mix(s, s->block);
    while (size > 0) {
        size_t count = size < FAKE_BLOCK ? size : FAKE_BLOCK;
        memcpy(out, s->lanes, count);
        fake_mix(s, s->block);
        out += count;
        size -= count;
    }
    return 0;
}

int __wrap_crypto_generichash(uint8_t *out, size_t out_size,
                              const uint8_t *bytes, unsigned long long size,
                              const uint8_t *key, size_t key_size);
int __wrap_crypto_generichash(uint8_t *out, size_t out_size,
                              const uint8_t *bytes, unsigned long long size,
                              const uint8_t *key, size_t key_size)
{
    crypto_generichash_state state;

    __wrap_crypto_generichash_init(&state, key, key_size, out_size);
    __wrap_crypto_generichash_update(&state, bytes, size);
    return __wrap_crypto_generichash_final(&state, out, out_size);
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
