/* The effects of one step of a member, in order. */

#ifndef NODE_OUTBOX_H
#define NODE_OUTBOX_H

#include "gossip/gossip.h"

struct outbox {
    struct gossip_effect *effects; /* [capacity], owned */
    size_t count, capacity;
};

/* Room for so many more, once; no memory ends the process. */
void outbox_room(struct outbox *outbox, size_t more);
void outbox_add(struct outbox *outbox, const struct gossip_effect *effect);
/* bytes[size] are borrowed. */
void outbox_save(struct outbox *outbox, uint32_t slot, const uint8_t *bytes,
                 size_t size);
void outbox_free(struct outbox *outbox);

#endif
