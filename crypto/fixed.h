/* Real vectors as 64-bit lanes of the ring Z_2^64, so that masked sums are
 * exact.
 *
 * A value x with |x| <= bound becomes the unsigned lane
 *     q = round(x 2^f) + offset,   offset = round(bound 2^f),   0 <= q <= 2
 * offset, rounding to nearest, ties to even. The sum of `count` lanes decodes
 * exactly as long as count * 2 * offset < 2^64: `fixed_fits` proves it for a
 * shape.
 */

#ifndef CRYPTO_FIXED_H
#define CRYPTO_FIXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What travels in one round. */
struct fixed_shape {
    size_t length;         /* elements; 0: the study is finished */
    double bound;          /* |x| <= bound, public, > 0, finite */
    uint8_t fraction_bits; /* f, 0..52; of 64-bit lanes */
    bool exact; /* statistics: decline what is out of bounds, never clip */
    uint8_t lane_bits;  /* 0 or 64: this file; 16 or 32: a grid (crypto/grid.h),
                           which clips, and `exact` is false */
    uint8_t value_bits; /* of a grid */
};

/* The doubles of the public state that pods mix. */
struct fixed_region {
    size_t offset, count; /* count 0: nothing, or nothing more in this round */
    uint32_t stage;       /* which of a round's mixings this is, from 0 */
};

/* The largest bound that `members` sites can sum in 64-bit lanes at `f`
 * fraction bits; a power of two. Requires 1 <= members <= 64, f <= 52. */
double fixed_bound(uint32_t members, uint8_t fraction_bits);

/* True if members * 2 * offset < 2^64 and every field is in its range. */
bool fixed_fits(const struct fixed_shape *shape, uint32_t members);

/* Writes lanes[shape->length]. Returns 0; -ERANGE if an element is beyond the
 * bound, -EDOM if it is not finite: *at is then its index and the lanes are
 * unspecified. */
int fixed_encode(uint64_t *lanes, const double *values,
                 const struct fixed_shape *shape, size_t *at);

/* The sum of `count` encoded vectors back to reals, values[length]:
 * (lane - count * offset) / 2^f, rounded once to a double. Equal bits on every
 * machine. Returns 0, or -ERANGE if a lane exceeds count * 2 * offset (some
 * summand was out of range: *at is its index). */
int fixed_decode(double *values, const uint64_t *lanes, uint32_t count,
                 const struct fixed_shape *shape, size_t *at);

/* fixed_decode's verdict alone. */
int fixed_check(const uint64_t *lanes, uint32_t count,
                const struct fixed_shape *shape, size_t *at);

#endif
