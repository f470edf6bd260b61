#include "node/outbox.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM = 64 };

void outbox_room(struct outbox *o, size_t more)
{
    size_t capacity = o->capacity;

    if (o->count + more <= capacity)
        return;
    while (capacity < o->count + more)
        capacity = 2 * capacity + ROOM;
    o->effects = realloc(o->effects, capacity * sizeof *o->effects);
    assert(o->effects != NULL); /* a few kilobytes, once */
    o->capacity = capacity;
}

void outbox_add(struct outbox *o, const struct gossip_effect *effect)
{
    outbox_room(o, 1);
    o->effects[o->count++] = *effect;
}

void outbox_save(struct outbox *o, uint32_t slot, const uint8_t *bytes,
                 size_t size)
{
    struct gossip_effect effect = {.kind = GOSSIP_SAVE};

    effect.save.slot = slot;
    effect.save.bytes = bytes;
    effect.save.size = size;
    outbox_add(o, &effect);
}

void outbox_free(struct outbox *o)
{
    free(o->effects);
    *o = (struct outbox){0};
}
