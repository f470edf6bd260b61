/* Shamir secret sharing of a 32-byte seed, byte by byte over GF(2^8).
 *
 * Any `threshold` shares give the secret back; fewer say nothing about it.
 * Shamir, "How to share a secret", CACM 22(11), 1979.
 */

#ifndef CRYPTO_SHAMIR_H
#define CRYPTO_SHAMIR_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"

enum { SHAMIR_BYTES = 32, SHAMIR_SHARES_MAX = 64 };

/* A point on 32 polynomials: y[i] = f_i(x). Wipe after use. */
struct shamir_share {
    uint8_t x; /* public, 1..64; f_i(0) is the secret */
    uint8_t y[SHAMIR_BYTES];
};

/* Writes shares[count], with x = 1..count. Cannot fail.
 * Requires 1 <= threshold <= count <= SHAMIR_SHARES_MAX. */
void shamir_split(struct shamir_share *shares, size_t count, size_t threshold,
                  const uint8_t secret[SHAMIR_BYTES], struct prg *prg);

/* Interpolates shares[count] at 0. With fewer shares than the threshold, or a
 * forged one, the result is a wrong secret, not an error: compare its hash.
 * Returns 0, or -EINVAL if count is 0 or an x is 0 or repeated. */
int shamir_join(uint8_t secret[SHAMIR_BYTES], const struct shamir_share *shares,
                size_t count);

#endif
