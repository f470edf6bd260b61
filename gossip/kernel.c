#include "gossip/kernel.h"

#include <stdbool.h>
#include <string.h>

#include "gossip/kernel_loops.h"

/* Types and names are parameters. NOLINTBEGIN(bugprone-macro-parentheses) */
#define KERNELS(kind, size, most, target)                                      \
    GATHER(kind##_double, double, size, most)                                  \
    GATHER(kind##_float, float, size, most)                                    \
    target static double kind##_dot(const double *a, const double *b,          \
                                    size_t d)                                  \
    {                                                                          \
        return dot(a, b, d);                                                   \
    }                                                                          \
    target static void kind##_dots(double *out, const double *a,               \
                                   const double *rows, size_t count,           \
                                   size_t stride, size_t d)                    \
    {                                                                          \
        dots(out, a, rows, count, stride, d);                                  \
    }                                                                          \
    target static void kind##_dots_single(double *out, const float *a,         \
                                          const float *rows, size_t count,     \
                                          size_t stride, size_t d)             \
    {                                                                          \
        dots_single(out, a, rows, count, stride, d);                           \
    }                                                                          \
    target static void kind##_add(double *out, double factor, const double *x, \
                                  size_t d)                                    \
    {                                                                          \
        add(out, factor, x, d);                                                \
    }                                                                          \
    target static void kind##_gather(double *out, const double *weight,        \
                                     const uint32_t *column, size_t count,     \
                                     const double *x, size_t stride, size_t d) \
    {                                                                          \
        kind##_double(out, weight, column, count, x, stride, d);               \
    }                                                                          \
    target static void kind##_gather_single(                                   \
        float *out, const double *weight, const uint32_t *column,              \
        size_t count, const float *x, size_t stride, size_t d)                 \
    {                                                                          \
        kind##_float(out, weight, column, count, x, stride, d);                \
    }                                                                          \
    target static void kind##_sum(double *out, const double *a, double factor, \
                                  const double *b, size_t d)                   \
    {                                                                          \
        sum_of(out, a, factor, b, d);                                          \
    }                                                                          \
    target static void kind##_pair(double *out, const double *x,               \
                                   const double weight[2], const double *y,    \
                                   size_t d)                                   \
    {                                                                          \
        pair(out, x, weight, y, d);                                            \
    }                                                                          \
    target static void kind##_pair_single(float *out, const float *x,          \
                                          const double weight[2],              \
                                          const float *y, size_t d)            \
    {                                                                          \
        pair_single(out, x, weight, y, d);                                     \
    }                                                                          \
    target static void kind##_widen(double *out, const float *x, size_t d)     \
    {                                                                          \
        widen(out, x, d);                                                      \
    }                                                                          \
    target static void kind##_narrow(float *out, const double *x, size_t d)    \
    {                                                                          \
        narrow(out, x, d);                                                     \
    }                                                                          \
    target static void kind##_two(double *g, const double *x,                  \
                                  const struct kernel_two *t)                  \
    {                                                                          \
        const size_t d = t->d;                                                 \
        double *a = t->room + SINGLES * d, *sum = a + d, slope[SINGLES];       \
        differ(a, x, t->inputs, d);                                            \
        memset(sum, 0, d * sizeof *sum);                                       \
        for (size_t b = 0; b < t->blocks; b++) {                               \
            const float *rows = t->rows + b * SINGLES * d;                     \
            fetch(t, b, 0);                                                    \
            if (d == USUAL)                                                    \
                widen_dots(slope, a, rows, USUAL, t->room, (size) / 4,         \
                           widen_##kind);                                      \
            else                                                               \
                widen_dots(slope, a, rows, d, t->room, 4, widen_##kind);       \
            fetch(t, b, 1);                                                    \
            slopes(slope, t->label + b * SINGLES, t->factor);                  \
            fetch(t, b, 2);                                                    \
            kind##_double(sum, slope, in_turn, SINGLES, t->room, d, d);        \
            fetch(t, b, 3);                                                    \
        }                                                                      \
        oppose(g, sum, t->inputs);                                             \
    }                                                                          \
    target static void kind##_two_single(double *g, const double *x,           \
                                         const struct kernel_two *t)           \
    {                                                                          \
        const size_t d = t->d;                                                 \
        double *whole = t->room, slope[SINGLES];                               \
        float *a = (float *)(void *)(whole + d), *sum = a + d;                 \
        differ(whole, x, t->inputs, d);                                        \
        narrow(a, whole, d);                                                   \
        memset(sum, 0, d * sizeof *sum);                                       \
        for (size_t b = 0; b < t->blocks; b++) {                               \
            const float *rows = t->rows + b * SINGLES * d;                     \
            fetch(t, b, 0);                                                    \
            if (d == USUAL)                                                    \
                dots_single(slope, a, rows, SINGLES, USUAL, USUAL);            \
            else                                                               \
                dots_single(slope, a, rows, SINGLES, d, d);                    \
            fetch(t, b, 1);                                                    \
            slopes(slope, t->label + b * SINGLES, t->factor);                  \
            fetch(t, b, 2);                                                    \
            kind##_float(sum, slope, in_turn, SINGLES, rows, d, d);            \
            fetch(t, b, 3);                                                    \
        }                                                                      \
        widen(whole, sum, d);                                                  \
        oppose(g, whole, t->inputs);                                           \
    }                                                                          \
    target static void kind##_descend(float *out, const float *x,              \
                                      double factor, const float *g, size_t d) \
    {                                                                          \
        descend(out, x, factor, g, d);                                         \
    }                                                                          \
    target static void kind##_logistic(double *out, const double *x, size_t d) \
    {                                                                          \
        logistic(out, x, d);                                                   \
    }                                                                          \
    static const struct kernel_set kind = {#kind,                              \
                                           kind##_dot,                         \
                                           kind##_dots,                        \
                                           kind##_dots_single,                 \
                                           kind##_add,                         \
                                           kind##_gather,                      \
                                           kind##_gather_single,               \
                                           kind##_sum,                         \
                                           kind##_pair,                        \
                                           kind##_pair_single,                 \
                                           kind##_widen,                       \
                                           kind##_narrow,                      \
                                           kind##_descend,                     \
                                           kind##_logistic,                    \
                                           kind##_two,                         \
                                           kind##_two_single};

KERNELS(plain, 16, 8, )

#ifdef __x86_64__
KERNELS(wide, 32, 8, __attribute__((target("avx2"))))
KERNELS(widest, 64, 16,
        __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))))

static bool has_widest(void)
{
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw");
}

static const struct kernel_set *best(void)
{
    if (has_widest())
        return &widest;
    return __builtin_cpu_supports("avx2") ? &wide : &plain;
}

size_t kernel_sets(const struct kernel_set *sets[KERNEL_SETS_MAX])
{
    size_t count = 0;

    if (has_widest())
        sets[count++] = &widest;
    if (__builtin_cpu_supports("avx2"))
        sets[count++] = &wide;
    sets[count++] = &plain;
    return count;
}
#else
static const struct kernel_set *best(void)
{
    return &plain;
}

size_t kernel_sets(const struct kernel_set *sets[KERNEL_SETS_MAX])
{
    sets[0] = &plain;
    return 1;
}
#endif

double kernel_dot(const double *a, const double *b, size_t d)
{
    return best()->dot(a, b, d);
}

void kernel_dots(double *out, const double *a, const double *rows, size_t count,
                 size_t stride, size_t d)
{
    best()->dots(out, a, rows, count, stride, d);
}

void kernel_dots_single(double *out, const float *a, const float *rows,
                        size_t count, size_t stride, size_t d)
{
    best()->dots_single(out, a, rows, count, stride, d);
}

void kernel_add(double *out, double factor, const double *x, size_t d)
{
    best()->add(out, factor, x, d);
}

void kernel_gather(double *out, const double *weight, const uint32_t *column,
                   size_t count, const double *x, size_t stride, size_t d)
{
    best()->gather(out, weight, column, count, x, stride, d);
}

void kernel_gather_single(float *out, const double *weight,
                          const uint32_t *column, size_t count, const float *x,
                          size_t stride, size_t d)
{
    best()->gather_single(out, weight, column, count, x, stride, d);
}

void kernel_sum(double *out, const double *a, double factor, const double *b,
                size_t d)
{
    if (out == a)
        best()->add(out, factor, b, d);
    else
        best()->sum(out, a, factor, b, d);
}

void kernel_pair(double *out, const double *x, const double weight[2],
                 const double *y, size_t d)
{
    best()->pair(out, x, weight, y, d);
}

void kernel_pair_single(float *out, const float *x, const double weight[2],
                        const float *y, size_t d)
{
    best()->pair_single(out, x, weight, y, d);
}

void kernel_widen(double *out, const float *x, size_t d)
{
    best()->widen(out, x, d);
}

void kernel_narrow(float *out, const double *x, size_t d)
{
    best()->narrow(out, x, d);
}

void kernel_descend(float *out, const float *x, double factor, const float *g,
                    size_t d)
{
    best()->descend(out, x, factor, g, d);
}

void kernel_logistic(double *out, const double *x, size_t d)
{
    best()->logistic(out, x, d);
}

void kernel_two(double *g, const double *x, const struct kernel_two *two)
{
    best()->two(g, x, two);
}

void kernel_two_single(double *g, const double *x, const struct kernel_two *two)
{
    best()->two_single(g, x, two);
}

/* NOLINTEND(bugprone-macro-parentheses) */
