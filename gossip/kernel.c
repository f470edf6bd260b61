#include "gossip/kernel.h"

#include <stdbool.h>

enum { LANES = 8 };

#define INLINE static inline __attribute__((always_inline))

INLINE double dot(const double *a, const double *b, size_t d)
{
    double sum[LANES] = {0}, rest = 0;
    size_t k = 0;

    for (; k + LANES <= d; k += LANES)
        for (size_t l = 0; l < LANES; l++)
            sum[l] += a[k + l] * b[k + l];
    for (; k < d; k++)
        rest += a[k] * b[k];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) +
           ((sum[1] + sum[5]) + (sum[3] + sum[7])) + rest;
}

INLINE void add(double *restrict out, double factor, const double *restrict x,
                size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] += factor * x[k];
}

/* Four rows at a time: out is read and written a quarter as often. */
INLINE void add_four(double *restrict out, const double *weight,
                     const double *restrict a, const double *restrict b,
                     const double *restrict c, const double *restrict e,
                     size_t d)
{
    const double wa = weight[0], wb = weight[1], wc = weight[2], we = weight[3];

    for (size_t k = 0; k < d; k++)
        out[k] = (((out[k] + wa * a[k]) + wb * b[k]) + wc * c[k]) + we * e[k];
}

INLINE void gather(double *out, const double *weight, const uint32_t *column,
                   size_t count, const double *x, size_t d)
{
    size_t k = 0;

    for (; k + 4 <= count; k += 4)
        add_four(out, weight + k, x + column[k] * d, x + column[k + 1] * d,
                 x + column[k + 2] * d, x + column[k + 3] * d, d);
    for (; k < count; k++)
        add(out, weight[k], x + column[k] * d, d);
}

#ifdef __x86_64__
#define WIDE __attribute__((target("avx2")))

WIDE static double wide_dot(const double *a, const double *b, size_t d)
{
    return dot(a, b, d);
}

WIDE static void wide_add(double *out, double factor, const double *x, size_t d)
{
    add(out, factor, x, d);
}

WIDE static void wide_gather(double *out, const double *weight,
                             const uint32_t *column, size_t count,
                             const double *x, size_t d)
{
    gather(out, weight, column, count, x, d);
}

static bool has_wide(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}
#else
#define wide_dot dot
#define wide_add add
#define wide_gather gather

static bool has_wide(void)
{
    return false;
}
#endif

double kernel_dot(const double *a, const double *b, size_t d)
{
    return has_wide() ? wide_dot(a, b, d) : dot(a, b, d);
}

void kernel_add(double *out, double factor, const double *x, size_t d)
{
    if (has_wide())
        wide_add(out, factor, x, d);
    else
        add(out, factor, x, d);
}

void kernel_gather(double *out, const double *weight, const uint32_t *column,
                   size_t count, const double *x, size_t d)
{
    if (has_wide())
        wide_gather(out, weight, column, count, x, d);
    else
        gather(out, weight, column, count, x, d);
}
