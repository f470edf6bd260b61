#include "crypto/grid_loops.h"

#include <string.h>

/* So that a constant width reaches the loops, and they their registers. */
#define INLINE static inline __attribute__((always_inline))

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

INLINE void add(double *restrict sums, const double *restrict values,
                const double *restrict carry, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] = values[i] + carry[i];
}

/* Clipped sums plus u, in floating point whole, in steps; and what was cut off.
 * No branch on a value, which is secret: only minima and maxima. A NaN is
 * clipped too, and its rest tells. The last minimum is against the rounding of
 * the sum itself. */
INLINE void clip(double *restrict points, double *restrict rest,
                 const double *restrict sums, size_t count,
                 const struct grid_loops_scale *scale)
{
    const double bound = scale->bound, steps = scale->steps;
    const double zero = scale->zero, top = scale->top;

    for (size_t i = 0; i < count; i++) {
        double x = sums[i];
        double c = x > -bound ? x : -bound;
        c = c < bound ? c : bound;
        double point = c * steps + (zero + points[i]);
        points[i] = point < top ? point : top;
        rest[i] = x - c;
    }
}

/* 1 if an exponent is all ones, else 0. */
INLINE uint64_t wild(const double *values, size_t count)
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

INLINE uint64_t encode(uint8_t *lanes, double *carry, const double *values,
                       size_t count, struct grid_loops_tile *t, size_t skip,
                       const struct grid_loops_scale *scale, uint32_t lane_bits)
{
    draw(t->points, t->words + lane_bits / 8 * skip, count, lane_bits);
    add(t->sums, values, carry, count);
    clip(t->points, carry, t->sums, count, scale);
    truncate(lanes, t->points, count, lane_bits);
    return wild(carry, count);
}

INLINE void decode(double *restrict values, const uint8_t *restrict lanes,
                   size_t count, uint64_t zero, double step, uint32_t lane_bits)
{
    for (size_t i = 0; i < count; i++) {
        int64_t q = (int64_t)(get(lanes, i, lane_bits) - zero);
        values[i] = (lane_bits == 16 ? (double)(int32_t)q : (double)q) * step;
    }
}

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

/* A copy of each loop for each width of a lane, and of a register. */
#define LOOPS(kind, target)                                                    \
    static target void kind##_decode(double *values, const uint8_t *lanes,     \
                                     size_t count, uint64_t zero, double step, \
                                     uint32_t lane_bits)                       \
    {                                                                          \
        if (lane_bits == 16)                                                   \
            decode(values, lanes, count, zero, step, 16);                      \
        else if (lane_bits == 32)                                              \
            decode(values, lanes, count, zero, step, 32);                      \
        else                                                                   \
            decode(values, lanes, count, zero, step, 64);                      \
    }                                                                          \
    static target uint64_t kind##_encode(                                      \
        uint8_t *lanes, double *carry, const double *values, size_t count,     \
        struct grid_loops_tile *t, size_t skip,                                \
        const struct grid_loops_scale *scale, uint32_t lane_bits)              \
    {                                                                          \
        if (lane_bits == 16)                                                   \
            return encode(lanes, carry, values, count, t, skip, scale, 16);    \
        if (lane_bits == 32)                                                   \
            return encode(lanes, carry, values, count, t, skip, scale, 32);    \
        return encode(lanes, carry, values, count, t, skip, scale, 64);        \
    }                                                                          \
    static target uint64_t kind##_beyond(const uint8_t *lanes, size_t count,   \
                                         uint64_t top, uint32_t lane_bits)     \
    {                                                                          \
        if (lane_bits == 16)                                                   \
            return beyond(lanes, count, top, 16);                              \
        if (lane_bits == 32)                                                   \
            return beyond(lanes, count, top, 32);                              \
        return beyond(lanes, count, top, 64);                                  \
    }                                                                          \
    static const struct grid_loops kind = {kind##_encode, kind##_decode,       \
                                           kind##_beyond};

LOOPS(plain, )

#ifdef __x86_64__
LOOPS(wide, __attribute__((target("avx2"))))
LOOPS(widest, __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))))
#endif

size_t grid_loops_all(const struct grid_loops *all[GRID_LOOPS_KINDS])
{
    size_t count = 0;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        all[count++] = &widest;
    if (__builtin_cpu_supports("avx2"))
        all[count++] = &wide;
#endif
    all[count++] = &plain;
    return count;
}

const struct grid_loops *grid_loops_best(void)
{
    const struct grid_loops *all[GRID_LOOPS_KINDS];

    grid_loops_all(all);
    return all[0];
}
