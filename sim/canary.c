#include "sim/canary.h"

#include <stdlib.h>

enum { SLOTS = 2 * CANARY_VALUES_MAX, SLOT_BITS = 18 };
_Static_assert(1 << SLOT_BITS == SLOTS, "a slot's index has SLOT_BITS bits");

struct value {
    uint64_t value;
    const char *what; /* NULL: a free slot */
};

struct canary {
    size_t count;
    struct value slots[SLOTS];
};

struct canary *canary_new(void)
{
    return calloc(1, sizeof(struct canary));
}

void canary_free(struct canary *c)
{
    free(c);
}

static size_t slot_of(const struct canary *c, uint64_t value)
{
    size_t at = value * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS);

    while (c->slots[at].what != NULL && c->slots[at].value != value)
        at = (at + 1) % SLOTS;
    return at;
}

void canary_add(struct canary *c, uint64_t value, const char *what)
{
    struct value *slot = &c->slots[slot_of(c, value)];

    if (slot->what == NULL && c->count++ >= CANARY_VALUES_MAX)
        return;
    *slot = (struct value){.value = value, .what = what};
}

const char *canary_find(const struct canary *c, const uint8_t *bytes,
                        size_t size)
{
    uint64_t window = 0;

    for (size_t i = 0; i < size; i++) {
        window = window >> 8 | (uint64_t)bytes[i] << 56;
        if (i < 7)
            continue;
        const struct value *found = &c->slots[slot_of(c, window)];
        if (found->what != NULL)
            return found->what;
    }
    return NULL;
}
