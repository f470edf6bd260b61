/* Everything that was voted in one ctx, and whether a vote breaks the rules of
 * AGREE (PROTOCOL.md, section 4): one PREPARE and one COMMIT a ballot, a COMMIT
 * on a PREPARE quorum, the lock, one certificate. */

#ifndef SIM_VOTES_H
#define SIM_VOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/wire.h"

struct votes_tally { /* for one value in one ballot */
    enum wire_kind kind;
    uint32_t ballot;
    uint8_t value[GOSSIP_HASH_BYTES];
    uint64_t prepares, commits; /* who */
};

struct votes {
    struct votes_tally *tallies; /* [count] */
    size_t count;
    bool certified[WIRE_KINDS];
    uint8_t certificate[WIRE_KINDS][GOSSIP_HASH_BYTES];
};

struct votes_cast {
    uint32_t member, ballot;
    enum wire_kind kind;
    bool commit; /* else a PREPARE */
    bool lies;   /* its rules are not its member's: only certificates count */
    uint8_t value[GOSSIP_HASH_BYTES];
};

/* Counts a vote, seen for the first time or again. Returns NULL, or the rule
 * that it breaks, as words that follow the member's name. */
const char *votes_count(struct votes *votes, const struct votes_cast *cast,
                        uint32_t threshold);
void votes_free(struct votes *votes);

#endif
