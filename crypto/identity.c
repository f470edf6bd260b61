#include "crypto/identity.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum {
    DIGEST_BYTES = crypto_generichash_BYTES_MAX,
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};

static const char prefix[] = "starling-";
enum { PREFIX_SIZE = sizeof prefix - 1 };

void identity_generate(struct identity *identity, struct prg *prg)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    struct x25519_pair link;

    prg_bytes(prg, seed, sizeof seed);
    crypto_sign_seed_keypair(identity->open.sign, identity->sign_secret, seed);
    sodium_memzero(seed, sizeof seed);

    x25519_generate(&link, prg);
    memcpy(identity->open.link, link.open, sizeof link.open);
    memcpy(identity->link_secret, link.secret, sizeof link.secret);
    sodium_memzero(&link, sizeof link);
}

void identity_wipe(struct identity *identity)
{
    sodium_memzero(identity, sizeof *identity);
}

void identity_print(char text[IDENTITY_TEXT_SIZE],
                    const struct identity_public *open)
{
    uint8_t bytes[IDENTITY_KEY_BYTES + X25519_BYTES];

    memcpy(bytes, open->sign, IDENTITY_KEY_BYTES);
    memcpy(bytes + IDENTITY_KEY_BYTES, open->link, X25519_BYTES);
    memcpy(text, prefix, PREFIX_SIZE);
    sodium_bin2base64(text + PREFIX_SIZE, IDENTITY_TEXT_SIZE - PREFIX_SIZE,
                      bytes, sizeof bytes, VARIANT);
}

int identity_parse(struct identity_public *open, const char *text)
{
    uint8_t bytes[IDENTITY_KEY_BYTES + X25519_BYTES];
    size_t size;

    if (strlen(text) != IDENTITY_TEXT_SIZE - 1 ||
        memcmp(text, prefix, PREFIX_SIZE) != 0)
        return -EINVAL;
    if (sodium_base642bin(bytes, sizeof bytes, text + PREFIX_SIZE,
                          IDENTITY_TEXT_SIZE - 1 - PREFIX_SIZE, NULL, &size,
                          NULL, VARIANT) != 0 ||
        size != sizeof bytes)
        return -EINVAL;
    if (x25519_is_weak(bytes + IDENTITY_KEY_BYTES))
        return -EINVAL;

    memcpy(open->sign, bytes, IDENTITY_KEY_BYTES);
    memcpy(open->link, bytes + IDENTITY_KEY_BYTES, X25519_BYTES);
    return 0;
}

static void digest(uint8_t out[DIGEST_BYTES], const char *domain,
                   const uint8_t *message, size_t size)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)domain,
                              strlen(domain) + 1);
    crypto_generichash_update(&state, message, size);
    crypto_generichash_final(&state, out, DIGEST_BYTES);
}

void identity_sign(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                   const char *domain, const uint8_t *message, size_t size,
                   const uint8_t secret[IDENTITY_SECRET_BYTES])
{
    uint8_t hash[DIGEST_BYTES];

    digest(hash, domain, message, size);
    crypto_sign_detached(signature, NULL, hash, sizeof hash, secret);
}

int identity_verify(const uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                    const char *domain, const uint8_t *message, size_t size,
                    const uint8_t key[IDENTITY_KEY_BYTES])
{
    uint8_t hash[DIGEST_BYTES];

    digest(hash, domain, message, size);
    return crypto_sign_verify_detached(signature, hash, sizeof hash, key);
}
