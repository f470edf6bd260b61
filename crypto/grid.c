#include "crypto/grid.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

#include "crypto/grid_loops.h"

enum { MEMBERS_MAX = 64, CHECK_TILE = 4096 };

static uint64_t offset_of(const struct grid *grid)
{
    return (UINT64_C(1) << (grid->value_bits - 1)) - 1;
}

static double step_of(const struct grid *grid)
{
    return grid->bound / (double)offset_of(grid);
}

static bool width(uint32_t lane_bits)
{
    return lane_bits == 16 || lane_bits == 32 || lane_bits == 64;
}

bool grid_fits(const struct grid *grid, uint32_t members)
{
    uint32_t w = grid->lane_bits, b = grid->value_bits;

    if (members < 1 || members > MEMBERS_MAX || !width(w))
        return false;
    if (b < 2 || b >= w || b > GRID_VALUE_BITS_MAX)
        return false;
    if (!(grid->bound > 0) || !isfinite(grid->bound * MEMBERS_MAX) ||
        !isnormal(step_of(grid)) || !isfinite(1 / step_of(grid)))
        return false;
    return members <= (UINT64_MAX >> (64 - w)) / ((UINT64_C(1) << b) - 1);
}

uint32_t grid_value_bits(uint32_t members, uint32_t lane_bits)
{
    assert(1 <= members && members <= MEMBERS_MAX);
    assert(width(lane_bits));

    struct grid grid = {.bound = 1, .lane_bits = lane_bits};
    grid.value_bits =
        lane_bits > GRID_VALUE_BITS_MAX ? GRID_VALUE_BITS_MAX : lane_bits - 1;
    while (!grid_fits(&grid, members))
        grid.value_bits--;
    return grid.value_bits;
}

int grid_encode(void *lanes, double *carry, const double *values, size_t first,
                size_t count, const struct grid *grid,
                const uint8_t seed[PRG_SEED_BYTES])
{
    const size_t lane = grid->lane_bits / 8, group = PRG_GROUP_BYTES / lane;
    const struct grid_loops *loops = grid_loops_best();
    const struct grid_loops_scale scale = {grid->bound, 1 / step_of(grid),
                                           (double)offset_of(grid),
                                           2 * (double)offset_of(grid)};
    struct grid_loops_tile t;
    uint8_t *to = lanes;
    uint64_t any = 0;

    assert(grid_fits(grid, 1));
    assert(count <= SIZE_MAX - first);

    for (size_t done = 0, n; done < count; done += n) {
        const size_t skip = (first + done) % group;
        n = GRID_LOOPS_BYTES / lane - skip;
        n = n < count - done ? n : count - done;
        prg_stream(t.words, (first + done) / group, (skip + n - 1) / group + 1,
                   seed);
        any |= loops->encode(to + lane * done, carry + done, values + done, n,
                             &t, skip, &scale, grid->lane_bits);
    }
    sodium_memzero(&t, sizeof t);
    return -(int)(any * EDOM);
}

static uint64_t lane_at(const uint8_t *lanes, size_t i, uint32_t lane_bits)
{
    uint16_t q16;
    uint32_t q32;
    uint64_t q64;

    memcpy(&q16, lanes + lane_bits / 8 * i, sizeof q16);
    if (lane_bits == 16)
        return q16;
    memcpy(&q32, lanes + lane_bits / 8 * i, sizeof q32);
    if (lane_bits == 32)
        return q32;
    memcpy(&q64, lanes + lane_bits / 8 * i, sizeof q64);
    return q64;
}

int grid_check(const void *lanes, size_t count, uint32_t members,
               const struct grid *grid, size_t *at)
{
    const uint64_t top = offset_of(grid) * 2 * members;
    const struct grid_loops *loops = grid_loops_best();
    const uint32_t bits = grid->lane_bits;
    const uint8_t *bytes = lanes;

    assert(grid_fits(grid, members));

    for (size_t first = 0, n; first < count; first += n) {
        n = count - first < CHECK_TILE ? count - first : CHECK_TILE;
        if (loops->beyond(bytes + first * (bits / 8), n, top, bits) == 0)
            continue;
        for (*at = first; lane_at(bytes, *at, bits) <= top;)
            ++*at;
        return -ERANGE;
    }
    *at = count;
    return 0;
}

int grid_decode(double *values, const void *lanes, size_t count,
                uint32_t members, const struct grid *grid, size_t *at)
{
    const uint64_t zero = members * offset_of(grid);

    if (grid_check(lanes, count, members, grid, at) != 0)
        return -ERANGE;
    grid_loops_best()->decode(values, lanes, count, zero, step_of(grid),
                              grid->lane_bits);
    return 0;
}
