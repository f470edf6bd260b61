/* One vector's lanes, whatever its shape says: 64 bits of exact fixed point
 * (crypto/fixed.h), or 16 or 32 bits of a grid (crypto/grid.h).
 */

#ifndef CRYPTO_LANES_H
#define CRYPTO_LANES_H

#include "crypto/fixed.h"
#include "crypto/prg.h"

/* Of one lane: 2, 4 or 8. */
size_t lanes_bytes(const struct fixed_shape *shape);

/* True if the sum of `members` vectors cannot wrap and every field is in its
 * range. */
bool lanes_fit(const struct fixed_shape *shape, uint32_t members);

/* Whether these values can be encoded: 0, -ERANGE or -EDOM as
 * lanes_encode_part. */
int lanes_check(const double *values, const struct fixed_shape *shape,
                size_t *at);

/* Writes lanes[count] of the elements first .. first + count - 1 of
 * values[shape->length]; parts may be encoded in any order. A grid rounds at
 * random by the seed, which is secret and fresh for each vector, clips to the
 * bound, adds carry[count] first and leaves there what was cut off; fixed point
 * uses neither. Returns 0; -ERANGE (fixed point) if an element is beyond the
 * bound, -EDOM if one is not finite: *at is its index in the part, or 0, and
 * lanes and carry are unspecified. */
int lanes_encode_part(void *lanes, double *carry, const double *values,
                      size_t first, size_t count,
                      const struct fixed_shape *shape,
                      const uint8_t seed[PRG_SEED_BYTES], size_t *at);

/* The sum of `members` encoded vectors back to reals, values[shape->length];
 * equal bits on every machine. Returns 0, or -ERANGE: a summand was out of
 * range, *at is the first such index. */
int lanes_decode(double *values, const void *lanes, uint32_t members,
                 const struct fixed_shape *shape, size_t *at);

/* lanes_decode's verdict alone. */
int lanes_check_sum(const void *lanes, uint32_t members,
                    const struct fixed_shape *shape, size_t *at);

/* to[count] += from[count], modulo the lanes' width. */
void lanes_add(void *to, const void *from, size_t count,
               const struct fixed_shape *shape);

#endif
