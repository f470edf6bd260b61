#include "crypto/grid.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

enum { MEMBERS_MAX = 64, TILE_GROUPS = 2, CHECK_TILE = 4096 };

/* A part of a vector between the passes over it: each alone is what compilers
 * turn into vectors. Both arrays are secret. */
struct tile {
    double points[TILE_GROUPS * PRG_GROUP_BYTES / 2];
    uint8_t words[TILE_GROUPS * PRG_GROUP_BYTES];
};

/* So that a constant width reaches the loops. */
#define INLINE static inline __attribute__((always_inline))

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

/* The i-th word of the keystream as a number in (0, 1). */
INLINE double uniform(const uint8_t *words, size_t i, uint32_t lane_bits)
{
    uint16_t w16;
    uint32_t w32;
    uint64_t w64;

    switch (lane_bits) {
    case 16:
        memcpy(&w16, words + 2 * i, sizeof w16);
        return (w16 + 0.5) * 0x1p-16;
    case 32:
        memcpy(&w32, words + 4 * i, sizeof w32);
        return ((int32_t)(w32 >> 1) + 0.5) * 0x1p-31;
    default:
        memcpy(&w64, words + 8 * i, sizeof w64);
        return ((double)(int64_t)(w64 >> 12) + 0.5) * 0x1p-52;
    }
}

INLINE void put(uint8_t *lanes, size_t i, double point, uint32_t lane_bits)
{
    uint16_t q16;
    uint32_t q32;
    uint64_t q64;

    switch (lane_bits) {
    case 16:
        q16 = (uint16_t)(int32_t)point;
        memcpy(lanes + 2 * i, &q16, sizeof q16);
        break;
    case 32:
        q32 = (uint32_t)(int32_t)point;
        memcpy(lanes + 4 * i, &q32, sizeof q32);
        break;
    default:
        q64 = (uint64_t)(int64_t)point;
        memcpy(lanes + 8 * i, &q64, sizeof q64);
    }
}

/* values become rests, and points become clipped values plus u: in floating
 * point whole, in steps. No branch on a value, which is secret: only minima and
 * maxima. A NaN is clipped too, and its rest tells. The last minimum is against
 * the rounding of the sum itself. */
static void clip(double *restrict points, double *restrict values, size_t count,
                 const struct grid *grid)
{
    const double bound = grid->bound, scale = 1 / step_of(grid);
    const double zero = (double)offset_of(grid), top = 2 * zero;

    for (size_t i = 0; i < count; i++) {
        double x = values[i];
        double c = x > -bound ? x : -bound;
        c = c < bound ? c : bound;
        double point = c * scale + (zero + points[i]);
        points[i] = point < top ? point : top;
        values[i] = x - c;
    }
}

static void add(double *restrict values, const double *restrict carry,
                size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] += carry[i];
}

/* 1 if an exponent is all ones, else 0. */
static uint64_t wild(const double *values, size_t count)
{
    const uint64_t one = UINT64_C(1) << 52;
    uint64_t any = 0, bits;

    for (size_t i = 0; i < count; i++) {
        memcpy(&bits, values + i, sizeof bits);
        any |= (bits & UINT64_MAX >> 1) + one;
    }
    return any >> 63;
}

INLINE void draw(double *restrict points, const uint8_t *restrict words,
                 size_t count, uint32_t lane_bits)
{
    for (size_t i = 0; i < count; i++)
        points[i] = uniform(words, i, lane_bits);
}

INLINE void truncate(uint8_t *restrict lanes, const double *restrict points,
                     size_t count, uint32_t lane_bits)
{
    for (size_t i = 0; i < count; i++)
        put(lanes, i, points[i], lane_bits);
}

static void draw_tile(struct tile *t, size_t first, size_t count,
                      uint32_t lane_bits, const uint8_t seed[PRG_SEED_BYTES])
{
    const size_t lane = lane_bits / 8, group = PRG_GROUP_BYTES / lane;
    const size_t skip = first % group;
    const uint8_t *words = t->words + lane * skip;

    prg_stream(t->words, first / group, (skip + count - 1) / group + 1, seed);
    if (lane_bits == 16)
        draw(t->points, words, count, 16);
    else if (lane_bits == 32)
        draw(t->points, words, count, 32);
    else
        draw(t->points, words, count, 64);
}

static void truncate_tile(uint8_t *lanes, const struct tile *t, size_t count,
                          uint32_t lane_bits)
{
    if (lane_bits == 16)
        truncate(lanes, t->points, count, 16);
    else if (lane_bits == 32)
        truncate(lanes, t->points, count, 32);
    else
        truncate(lanes, t->points, count, 64);
}

int grid_encode(void *lanes, double *values, const double *carry, size_t first,
                size_t count, const struct grid *grid,
                const uint8_t seed[PRG_SEED_BYTES])
{
    const size_t lane = grid->lane_bits / 8, group = PRG_GROUP_BYTES / lane;
    struct tile t;
    uint64_t any = 0;

    assert(grid_fits(grid, 1));
    assert(count <= SIZE_MAX - first);

    for (size_t done = 0, n; done < count; done += n) {
        n = TILE_GROUPS * group - (first + done) % group;
        n = n < count - done ? n : count - done;
        draw_tile(&t, first + done, n, grid->lane_bits, seed);
        if (carry != NULL)
            add(values + done, carry + done, n);
        clip(t.points, values + done, n, grid);
        truncate_tile((uint8_t *)lanes + lane * done, &t, n, grid->lane_bits);
        any |= wild(values + done, n);
    }
    sodium_memzero(&t, sizeof t);
    return -(int)(any * EDOM);
}

INLINE uint64_t get(const uint8_t *lanes, size_t i, uint32_t lane_bits)
{
    uint16_t q16;
    uint32_t q32;
    uint64_t q64;

    switch (lane_bits) {
    case 16:
        memcpy(&q16, lanes + 2 * i, sizeof q16);
        return q16;
    case 32:
        memcpy(&q32, lanes + 4 * i, sizeof q32);
        return q32;
    default:
        memcpy(&q64, lanes + 8 * i, sizeof q64);
        return q64;
    }
}

/* 1 if a lane is beyond `top`, in the lanes' width. */
INLINE uint64_t beyond(const uint8_t *lanes, size_t count, uint64_t top,
                       uint32_t lane_bits)
{
    const uint16_t top16 = (uint16_t)top;
    const uint32_t top32 = (uint32_t)top;
    uint16_t any16 = 0;
    uint32_t any32 = 0;
    uint64_t any64 = 0;

    switch (lane_bits) {
    case 16:
        for (size_t i = 0; i < count; i++)
            any16 |= (uint16_t)get(lanes, i, 16) > top16;
        return any16;
    case 32:
        for (size_t i = 0; i < count; i++)
            any32 |= (uint32_t)get(lanes, i, 32) > top32;
        return any32;
    default:
        for (size_t i = 0; i < count; i++)
            any64 |= get(lanes, i, 64) > top;
        return any64;
    }
}

/* The index of the first lane beyond the sum of the largest points; count if
 * there is none. */
INLINE size_t check(const uint8_t *lanes, size_t count, uint64_t top,
                    uint32_t lane_bits)
{
    for (size_t first = 0, n; first < count; first += n) {
        const uint8_t *at = lanes + first * (lane_bits / 8);
        n = count - first < CHECK_TILE ? count - first : CHECK_TILE;
        if (beyond(at, n, top, lane_bits) == 0)
            continue;
        for (size_t i = 0;; i++)
            if (get(at, i, lane_bits) > top)
                return first + i;
    }
    return count;
}

INLINE void decode(double *restrict values, const uint8_t *restrict lanes,
                   size_t count, uint64_t zero, double step, uint32_t lane_bits)
{
    for (size_t i = 0; i < count; i++) {
        int64_t q = (int64_t)get(lanes, i, lane_bits) - (int64_t)zero;
        values[i] = (lane_bits == 16 ? (double)(int32_t)q : (double)q) * step;
    }
}

int grid_check(const void *lanes, size_t count, uint32_t members,
               const struct grid *grid, size_t *at)
{
    const uint64_t top = 2 * members * offset_of(grid);

    assert(grid_fits(grid, members));

    if (grid->lane_bits == 16)
        *at = check(lanes, count, top, 16);
    else if (grid->lane_bits == 32)
        *at = check(lanes, count, top, 32);
    else
        *at = check(lanes, count, top, 64);
    return *at == count ? 0 : -ERANGE;
}

int grid_decode(double *values, const void *lanes, size_t count,
                uint32_t members, const struct grid *grid, size_t *at)
{
    const uint64_t zero = members * offset_of(grid);
    const double step = step_of(grid);

    if (grid_check(lanes, count, members, grid, at) != 0)
        return -ERANGE;
    if (grid->lane_bits == 16)
        decode(values, lanes, count, zero, step, 16);
    else if (grid->lane_bits == 32)
        decode(values, lanes, count, zero, step, 32);
    else
        decode(values, lanes, count, zero, step, 64);
    return 0;
}
