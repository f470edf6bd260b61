/* The engine of a pod of one member without masks (`sum: {masks: none}`), in
 * the place of gossip/gossip.h: its own vector is the sum. It goes through the
 * same lanes, so that what is rounded and refused is the same. Nothing is
 * hidden from the neighbours: classical gossip learning, for research.
 */

#ifndef NODE_SOLO_H
#define NODE_SOLO_H

#include "gossip/gossip.h"

struct solo; /* opaque */

struct solo_config {
    size_t state_size, length_max;
    const void *state;        /* [state_size] of round 0, copied */
    struct fixed_shape shape; /* of round 0 */
};

/* saved: the newest record of GOSSIP_SLOT_STATE, or NULL. NULL: out of memory,
 * or the record is not this study's (*why says which). The shape of a saved
 * state is asked of the driver by an ABSORB without a sum. */
struct solo *solo_new(const struct solo_config *config,
                      const struct gossip_record *saved, const char **why);
void solo_free(struct solo *solo); /* wipes */

/* As gossip_step; the effects are at most SOLO_EFFECTS. */
enum { SOLO_EFFECTS = 4 };
void solo_step(struct solo *solo, const struct gossip_event *event,
               const struct gossip_effect **effects, size_t *count);
void solo_view(const struct solo *solo, struct gossip_view *view);

#endif
