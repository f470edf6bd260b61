#include "gossip/effects.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

enum {
    EFFECTS_PER_MEMBER = 24,
    EFFECTS_RESERVED = 32, /* for kinds that must not be dropped */
    BYTES_PER_MEMBER = 32768
};

int effects_new(struct effects *e, uint32_t members, size_t more)
{
    *e = (struct effects){0};
    e->capacity = EFFECTS_RESERVED + EFFECTS_PER_MEMBER * (size_t)members;
    e->bytes_capacity =
        BYTES_PER_MEMBER * (size_t)members + GOSSIP_HEAD_MAX + more;
    e->list = calloc(e->capacity, sizeof *e->list);
    e->bytes = malloc(e->bytes_capacity);
    if (e->list != NULL && e->bytes != NULL)
        return 0;
    effects_free(e);
    return -ENOMEM;
}

void effects_free(struct effects *e)
{
    if (e->bytes != NULL)
        sodium_memzero(e->bytes, e->bytes_capacity);
    free(e->list);
    free(e->bytes);
    *e = (struct effects){0};
}

void effects_reset(struct effects *e)
{
    e->count = 0;
    e->bytes_used = 0;
}

uint8_t *effects_take(struct effects *e, size_t size)
{
    size_t aligned = (size + 15) / 16 * 16;

    if (aligned > e->bytes_capacity - e->bytes_used)
        return NULL;
    uint8_t *taken = e->bytes + e->bytes_used;
    e->bytes_used += aligned;
    return taken;
}

void effects_trim(struct effects *e, const uint8_t *taken, size_t used)
{
    e->bytes_used = (size_t)(taken - e->bytes) + (used + 15) / 16 * 16;
    assert(e->bytes_used <= e->bytes_capacity);
}

struct gossip_effect *effects_insist(struct effects *e,
                                     enum gossip_effect_kind kind)
{
    assert(e->count < e->capacity);
    struct gossip_effect *effect = &e->list[e->count++];
    *effect = (struct gossip_effect){.kind = kind};
    return effect;
}

struct gossip_effect *effects_add(struct effects *e,
                                  enum gossip_effect_kind kind)
{
    bool may_drop = kind == GOSSIP_SEND || kind == GOSSIP_NOTE;

    if (may_drop && e->count >= e->capacity - EFFECTS_RESERVED)
        return NULL;
    return effects_insist(e, kind);
}
