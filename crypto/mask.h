/* Masks over lanes of 16, 32 or 64 bits: lanes += or -= keystream(seed), all
 * masks in one pass over memory, in tiles that stay in the first-level cache.
 *
 * The lane of element e is the e-th little-endian word of the lane's width in
 * prg_stream's order, whichever slice e is in: slices never share keystream.
 * Bonawitz et al., "Practical Secure Aggregation", CCS 2017, section 4.
 */

#ifndef CRYPTO_MASK_H
#define CRYPTO_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"

/* Wipe after use. */
struct mask {
    uint8_t seed[PRG_SEED_BYTES];
    bool minus; /* public: taken off, not put on */
};

/* Puts masks[mask_count] on lanes[count] of lane_bits (16, 32 or 64) each: the
 * elements first .. first + count - 1 of the vector. Several threads may each
 * take a part of the elements, best from multiples of PRG_GROUP_BYTES of lanes
 * on: what is cut costs a whole group at both ends. */
void mask_apply(void *lanes, uint32_t lane_bits, size_t first, size_t count,
                const struct mask *masks, size_t mask_count);

/* The same, to out[count], which is `lanes` or overlaps them nowhere. */
void mask_copy(void *out, const void *lanes, uint32_t lane_bits, size_t first,
               size_t count, const struct mask *masks, size_t mask_count);

/* One mask on, or off, lanes of 64 bits. */
void mask_add(uint64_t *lanes, size_t first, size_t count,
              const uint8_t seed[PRG_SEED_BYTES]);
void mask_subtract(uint64_t *lanes, size_t first, size_t count,
                   const uint8_t seed[PRG_SEED_BYTES]);

#endif
