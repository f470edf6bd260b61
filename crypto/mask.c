#include "crypto/mask.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>

enum {
    LANE_BYTES = 8,
    GROUP_LANES = PRG_GROUP_BYTES / LANE_BYTES,
    TILE_GROUPS = 4,
    TILE_LANES = TILE_GROUPS * GROUP_LANES
};

static uint64_t load(const uint8_t b[LANE_BYTES])
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
           (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 |
           (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

static void apply(uint64_t *lanes, size_t count, const uint8_t *key,
                  bool negative)
{
    if (negative)
        for (size_t i = 0; i < count; i++)
            lanes[i] -= load(key + LANE_BYTES * i);
    else
        for (size_t i = 0; i < count; i++)
            lanes[i] += load(key + LANE_BYTES * i);
}

static void mask(uint64_t *lanes, size_t first, size_t count,
                 const uint8_t seed[PRG_SEED_BYTES], bool negative)
{
    uint8_t tile[TILE_GROUPS * PRG_GROUP_BYTES];

    assert(count <= SIZE_MAX - first);

    while (count > 0) {
        size_t skip = first % GROUP_LANES;
        size_t n = count < TILE_LANES - skip ? count : TILE_LANES - skip;
        size_t groups = (skip + n + GROUP_LANES - 1) / GROUP_LANES;
        prg_stream(tile, first / GROUP_LANES, groups, seed);
        apply(lanes, n, tile + LANE_BYTES * skip, negative);
        lanes += n;
        first += n;
        count -= n;
    }
    sodium_memzero(tile, sizeof tile);
}

void mask_add(uint64_t *lanes, size_t first, size_t count,
              const uint8_t seed[PRG_SEED_BYTES])
{
    mask(lanes, first, count, seed, false);
}

void mask_subtract(uint64_t *lanes, size_t first, size_t count,
                   const uint8_t seed[PRG_SEED_BYTES])
{
    mask(lanes, first, count, seed, true);
}
