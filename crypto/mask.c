#include "crypto/mask.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "crypto/chacha.h"

/* Half of the first-level cache of the smallest machines in mind. */
enum { TILE_GROUPS = 16 };

static enum chacha_op op_of(uint32_t lane_bits, bool minus)
{
    switch (lane_bits) {
    case 16:
        return minus ? CHACHA_SUBTRACT_16 : CHACHA_ADD_16;
    case 32:
        return minus ? CHACHA_SUBTRACT_32 : CHACHA_ADD_32;
    default:
        assert(lane_bits == 64);
        return minus ? CHACHA_SUBTRACT_64 : CHACHA_ADD_64;
    }
}

/* What one pass puts on. */
struct pass {
    const struct mask *masks;
    size_t mask_count;
    uint32_t lane_bits;
};

static void whole(uint8_t *tile, size_t group, size_t groups,
                  const struct pass *p)
{
    for (size_t k = 0; k < p->mask_count; k++)
        chacha_apply(tile, group, groups, p->masks[k].seed,
                     op_of(p->lane_bits, p->masks[k].minus));
}

/* Some lanes of one group: the rest of `room` becomes bare keystream. */
static void part(uint8_t *out, const uint8_t *lanes, size_t group, size_t skip,
                 size_t size, const struct pass *p)
{
    uint64_t room[PRG_GROUP_BYTES / 8] = {0};
    uint8_t *at = (uint8_t *)room + skip;

    memcpy(at, lanes, size);
    whole((uint8_t *)room, group, 1, p);
    memcpy(out, at, size);
    sodium_memzero(room, sizeof room);
}

void mask_apply(void *lanes, uint32_t lane_bits, size_t first, size_t count,
                const struct mask *masks, size_t mask_count)
{
    mask_copy(lanes, lanes, lane_bits, first, count, masks, mask_count);
}

void mask_copy(void *out, const void *lanes, uint32_t lane_bits, size_t first,
               size_t count, const struct mask *masks, size_t mask_count)
{
    const struct pass p = {masks, mask_count, lane_bits};
    const size_t lane = lane_bits / 8, group_lanes = PRG_GROUP_BYTES / lane;
    const uint8_t *from = lanes;
    uint8_t *at = out;

    assert(lane_bits == 16 || lane_bits == 32 || lane_bits == 64);
    assert(count <= SIZE_MAX - first);

    while (count > 0) {
        size_t skip = first % group_lanes, n = group_lanes - skip;
        if (skip > 0 || count < group_lanes) {
            n = count < n ? count : n;
            part(at, from, first / group_lanes, lane * skip, lane * n, &p);
        } else {
            size_t groups = count / group_lanes;
            groups = groups < TILE_GROUPS ? groups : TILE_GROUPS;
            n = groups * group_lanes;
            if (at != from)
                memcpy(at, from, lane * n);
            whole(at, first / group_lanes, groups, &p);
        }
        at += lane * n;
        from += lane * n;
        first += n;
        count -= n;
    }
}

static void one(uint64_t *lanes, size_t first, size_t count,
                const uint8_t seed[PRG_SEED_BYTES], bool minus)
{
    struct mask mask = {.minus = minus};

    memcpy(mask.seed, seed, PRG_SEED_BYTES);
    mask_apply(lanes, 64, first, count, &mask, 1);
    sodium_memzero(&mask, sizeof mask);
}

void mask_add(uint64_t *lanes, size_t first, size_t count,
              const uint8_t seed[PRG_SEED_BYTES])
{
    one(lanes, first, count, seed, false);
}

void mask_subtract(uint64_t *lanes, size_t first, size_t count,
                   const uint8_t seed[PRG_SEED_BYTES])
{
    one(lanes, first, count, seed, true);
}
