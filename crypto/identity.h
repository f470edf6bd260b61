/* Who a member is: an Ed25519 key that signs (RFC 8032) and an X25519 key for
 * the CURVE link. They are separate keys; the public part of both, printed
 * together, is the `key:` of a study file. */

#ifndef CRYPTO_IDENTITY_H
#define CRYPTO_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"
#include "crypto/x25519.h"

enum {
    IDENTITY_KEY_BYTES = 32,
    IDENTITY_SECRET_BYTES = 64,
    IDENTITY_SIGNATURE_BYTES = 64,
    IDENTITY_TEXT_SIZE = 96 /* "starling-" + base64url of 64 bytes + NUL */
};

struct identity_public {
    uint8_t sign[IDENTITY_KEY_BYTES];
    uint8_t link[X25519_BYTES];
};

struct identity {
    struct identity_public open;
    uint8_t sign_secret[IDENTITY_SECRET_BYTES];
    uint8_t link_secret[X25519_BYTES];
};

void identity_generate(struct identity *identity, struct prg *prg);
void identity_wipe(struct identity *identity);

/* "starling-<86 characters>", and back. identity_parse returns 0, or -EINVAL
 * for any other text or a weak link key. */
void identity_print(char text[IDENTITY_TEXT_SIZE],
                    const struct identity_public *open);
int identity_parse(struct identity_public *open, const char *text);

/* The Ed25519 signature of BLAKE2b-512(domain || message), so that messages of
 * any size need no copy: `domain` (a short constant text, its NUL is hashed
 * too) separates the uses of one key. */
void identity_sign(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                   const char *domain, const uint8_t *message, size_t size,
                   const uint8_t secret[IDENTITY_SECRET_BYTES]);

/* Returns 0, or -1 if the signature is not this key's for this domain and
 * message. */
int identity_verify(const uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                    const char *domain, const uint8_t *message, size_t size,
                    const uint8_t key[IDENTITY_KEY_BYTES]);

#endif
