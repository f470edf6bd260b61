/* Real vectors for training, clipped and rounded at random to a public grid,
 * in lanes of 16, 32 or 64 bits.
 *
 * 2^b - 1 points at most, an odd number, so that 0 is one of them: value x
 * becomes the lane
 *     q = floor(x / step + offset + u),   step = bound / offset,
 *     offset = 2^(b-1) - 1,   0 <= q <= 2 offset,   u uniform in [0, 1),
 * whose mean is x / step + offset: rounding has no bias. What is beyond the
 * bound is clipped, and what was cut off goes into the next round's vector
 * (error feedback: Seide et al., Interspeech 2014). The sum of `members` lanes
 * cannot overflow if members (2^b - 1) < 2^w: `grid_fits` proves it.
 */

#ifndef CRYPTO_GRID_H
#define CRYPTO_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"

enum { GRID_VALUE_BITS_MAX = 48 };

/* Public, the same at every member. */
struct grid {
    double bound;        /* > 0, finite; from public values only */
    uint32_t value_bits; /* b, 2..min(w - 1, GRID_VALUE_BITS_MAX) */
    uint32_t lane_bits;  /* w: 16, 32 or 64 */
};

/* True if members (2^b - 1) < 2^w and every field is in its range; members is
 * 1..64. */
bool grid_fits(const struct grid *grid, uint32_t members);

/* The most value bits with which `members` (1..64) sites fit into lanes. */
uint32_t grid_value_bits(uint32_t members, uint32_t lane_bits);

/* lanes[count]: values + carry of the elements first .. first + count - 1.
 * carry[count] becomes what clipping cut off, for the next round. The seed is
 * secret, and fresh for each vector; elements may be encoded in any parts and
 * order. Returns 0, or -EDOM if a value is not finite: lanes and carry are then
 * unspecified. */
int grid_encode(void *lanes, double *carry, const double *values, size_t first,
                size_t count, const struct grid *grid,
                const uint8_t seed[PRG_SEED_BYTES]);

/* The sum of `members` encoded vectors back to reals, values[count]:
 * (lane - members * offset) * step. Equal bits on every machine. Returns 0, or
 * -ERANGE if a lane exceeds members * 2 * offset: some summand was no point of
 * the grid, *at is the first such index, and values are unspecified. */
int grid_decode(double *values, const void *lanes, size_t count,
                uint32_t members, const struct grid *grid, size_t *at);

/* grid_decode's verdict alone. */
int grid_check(const void *lanes, size_t count, uint32_t members,
               const struct grid *grid, size_t *at);

#endif
