/* What must never happen, whatever the network does: fed with everything that
 * the members of a world sign, contribute and come to believe, it keeps the
 * first violation as one line.
 *
 * Signatures were checked before. The rules bind honest members; what liars
 * sign is counted where it counts for others. Messages may be fed more than
 * once.
 */

#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/wire.h"

struct check; /* opaque */

/* All members are honest, and one may be curious. NULL if out of memory. */
struct check *check_new(uint32_t members, uint32_t threshold);
/* Before anything is fed: who lies, and how many may collude in all. Returns 0
 * or -1: out of memory. */
int check_liars(struct check *check, uint64_t liars, uint32_t colluders);
void check_free(struct check *check); /* wipes the vectors */

/* A message leaves `from`, its own or one that it relays; body: raw bytes. */
void check_sent(struct check *check, uint32_t from,
                const struct wire_message *message, const uint8_t *body,
                size_t body_size);
/* `member` contributes lanes[shape->length] to the sum of `round`; copied. */
void check_contributed(struct check *check, uint32_t member, uint64_t round,
                       const void *lanes, const struct fixed_shape *shape);
/* `member` has lost its store. In the attempts that there were it may say once
 * more, and otherwise, what is said once: it cannot know. What it released
 * there counts as before, against it and with what others release. */
void check_lost(struct check *check, uint32_t member);
/* The Y of this hash holds `delta` more in its first lane than that. */
void check_altered(struct check *check, uint32_t member, uint64_t round,
                   const uint8_t hash[GOSSIP_HASH_BYTES], uint64_t delta);
/* `member` tells its people whose vectors the sums may show. */
void check_named(struct check *check, uint32_t member, uint64_t members);
/* `member` tells other pods that this is the sum of `members`' vectors:
 * lanes[length] of 64 bits, and how many they are. */
void check_offered(struct check *check, uint32_t member, uint64_t round,
                   uint64_t members, const void *lanes, size_t length,
                   uint64_t count);
/* The hash of the public state that `member` has for `round`. */
void check_state(struct check *check, uint32_t member, uint64_t round,
                 const uint8_t hash[GOSSIP_HASH_BYTES]);

/* "", or the first violation. */
const char *check_violation(const struct check *check);
/* Slice sums that were compared with the plaintext sum. */
uint64_t check_sums(const struct check *check);

#endif
