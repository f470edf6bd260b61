/* Every member's plain vector in every round, and what their sums must be. */

#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/wire.h"

struct ledger; /* opaque */

struct ledger *ledger_new(uint32_t members); /* NULL if out of memory */
void ledger_free(struct ledger *ledger);     /* wipes the vectors */

/* `member` contributes lanes[shape->length] to the sum of `round`; copied.
 * False: it has contributed something else to it before. */
bool ledger_enter(struct ledger *ledger, uint32_t member, uint64_t round,
                  const void *lanes, const struct fixed_shape *shape);
/* The Y of this hash holds `delta` more in its first lane than that. */
void ledger_alter(struct ledger *ledger, uint32_t member, uint64_t round,
                  const uint8_t hash[GOSSIP_HASH_BYTES], uint64_t delta);
/* `said` is the hash of slice `slice`, of so many, of the sum over U. */
bool ledger_is_sum(struct ledger *ledger, uint64_t round,
                   const struct wire_value *u, uint32_t slices, uint32_t slice,
                   const uint8_t said[GOSSIP_HASH_BYTES]);
/* The sum over U, each lane widened to 64 bits, is `words`[length]. */
bool ledger_is_widened(struct ledger *ledger, uint64_t round,
                       const struct wire_value *u, const void *words,
                       size_t length);
/* How many were compared. */
uint64_t ledger_sums(const struct ledger *ledger);

#endif
