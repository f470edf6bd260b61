/* A testing aid: the point of the protocol at which a node stops for ever, so
 * that whoever started it can kill it exactly there. */

#ifndef NODE_HALT_H
#define NODE_HALT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/gossip.h"
#include "model/error.h"

#define HALT_PHASES                                                            \
    "before-keys, keys, shares, ack, prepare-v, commit-v, y, y-some, recv, "   \
    "prepare-u, commit-u, unmask, sum"

struct halt {
    bool set;
    uint64_t round;
    size_t phase;     /* row of the table of phases */
    uint32_t members; /* of the pod; set it before halt_after */
};

/* "PHASE@ROUND"; text NULL: never. Returns 0 or -EINVAL. */
int halt_parse(struct halt *halt, const char *text, struct error *error);

/* How many of effects[count] are performed before the stop: those up to the
 * last SEND of the phase. SIZE_MAX: no stop here. */
size_t halt_after(const struct halt *halt, const struct gossip_effect *effects,
                  size_t count);

const char *halt_phase(const struct halt *halt);

#endif
