/* The bounded list of effects of one step, with the bytes they point to. */

#ifndef GOSSIP_EFFECTS_H
#define GOSSIP_EFFECTS_H

#include <stddef.h>
#include <stdint.h>

#include "gossip/gossip.h"

struct effects {
    struct gossip_effect *list; /* [capacity] */
    size_t count, capacity;
    uint8_t *bytes; /* [bytes_capacity], heads and records of this step */
    size_t bytes_used, bytes_capacity;
};

/* Room for a pod of `members` and for `more` bytes of saves and bodies in one
 * step. Returns 0 or -ENOMEM. */
int effects_new(struct effects *effects, uint32_t members, size_t more);
void effects_free(struct effects *effects); /* wipes the bytes */
void effects_reset(struct effects *effects);

/* `size` bytes that live until the next step; NULL if there is no room, which
 * a SEND survives (loss only delays) and a SAVE never meets: see
 * effects_new. */
uint8_t *effects_take(struct effects *effects, size_t size);
/* Gives back what the newest take did not use. */
void effects_trim(struct effects *effects, const uint8_t *taken, size_t used);

/* A new last effect; NULL if the list is full and `kind` is GOSSIP_SEND or
 * GOSSIP_NOTE. A share of the list is kept free for the other kinds. */
struct gossip_effect *effects_add(struct effects *effects,
                                  enum gossip_effect_kind kind);
/* The same from the share that is kept free; aborts if that is used up. */
struct gossip_effect *effects_insist(struct effects *effects,
                                     enum gossip_effect_kind kind);

#endif
