/* Masks over 64-bit lanes: lanes += or -= keystream(seed), in tiles that stay
 * in the first-level cache.
 *
 * The lane of element e is the e-th little-endian 64-bit word of prg_stream's
 * order, whichever slice e is in: slices never share keystream.
 * Bonawitz et al., "Practical Secure Aggregation", CCS 2017, section 4.
 */

#ifndef CRYPTO_MASK_H
#define CRYPTO_MASK_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"

/* lanes[count] holds the elements first .. first + count - 1 of the vector. */
void mask_add(uint64_t *lanes, size_t first, size_t count,
              const uint8_t seed[PRG_SEED_BYTES]);
void mask_subtract(uint64_t *lanes, size_t first, size_t count,
                   const uint8_t seed[PRG_SEED_BYTES]);

#endif
