/* Diffie-Hellman on Curve25519 (RFC 7748). Low-order points are refused. */

#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/prg.h"

enum { X25519_BYTES = 32 };

struct x25519_pair {
    uint8_t open[X25519_BYTES];   /* the public key */
    uint8_t secret[X25519_BYTES]; /* wipe after use */
};

void x25519_generate(struct x25519_pair *pair, struct prg *prg);

/* The public key of `secret`: what a rebuilt secret is checked against. */
void x25519_base(uint8_t open[X25519_BYTES],
                 const uint8_t secret[X25519_BYTES]);

/* True for the points of low order and non-canonical encodings, which no
 * honest member sends. Variable time: the argument is public. */
bool x25519_is_weak(const uint8_t open[X25519_BYTES]);

/* shared[] = X25519(secret, theirs). Returns 0, or -EINVAL if the result is
 * all zero. Hash it before use; wipe after. */
int x25519_shared(uint8_t shared[X25519_BYTES],
                  const uint8_t secret[X25519_BYTES],
                  const uint8_t theirs[X25519_BYTES]);

#endif
