/* What colluders can work out: all liars of a world with any others up to the
 * number that the charter assumes, who pool all shares that they were dealt,
 * all that anybody releases, and every masked vector, whoever it was sent to.
 *
 * A self mask is known with the shares of t members, a mask key likewise, and a
 * pairwise mask with either one's mask key. So members of V fall apart into
 * those whose mask keys are known, each for itself, and the rest, whose
 * pairwise masks hold them together: such a part is opened when all its vectors
 * have been sent and all its self masks are known.
 */

#ifndef SIM_KNOWLEDGE_H
#define SIM_KNOWLEDGE_H

#include <stdint.h>

#include "gossip/gossip.h"

struct knowledge; /* opaque */

struct knowledge_rules {
    uint32_t members, threshold, colluders;
    uint64_t liars; /* bitmap */
};

/* NULL if out of memory. */
struct knowledge *knowledge_new(const struct knowledge_rules *rules);
void knowledge_free(struct knowledge *knowledge);

/* `member` says its masked vector under the V over `members` of that hash. */
void knowledge_masked(struct knowledge *knowledge, uint32_t member,
                      uint64_t round, uint64_t attempt,
                      const uint8_t hash_v[GOSSIP_HASH_BYTES],
                      uint64_t members);
/* It releases its share of b of each member of `members` that survives, of msk
 * of each other one. */
void knowledge_released(struct knowledge *knowledge, uint32_t member,
                        uint64_t round, uint64_t attempt, uint64_t members,
                        uint64_t survivors);
/* An honest member has said whose vectors the sums may show. */
void knowledge_named(struct knowledge *knowledge, uint64_t members);

/* "", or the first thing that colluders know and must not. */
const char *knowledge_violation(const struct knowledge *knowledge);
/* Sets of vectors whose sums some colluders know. */
uint64_t knowledge_opened(const struct knowledge *knowledge);

#endif
