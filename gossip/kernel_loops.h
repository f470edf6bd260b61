/* The loops of kernel.c, to be inlined into a function for each kind of
 * processor. */

#ifndef GOSSIP_KERNEL_LOOPS_H
#define GOSSIP_KERNEL_LOOPS_H

#include <stdbool.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "gossip/kernel.h"

enum {
    LANES = 8,
    SINGLES = 16, /* of 64 bytes */
    USUAL = 64    /* columns whose loops are unrolled */
};

/* Vectors pass between functions that are all inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"
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

/* Vectors of 64 bytes, several registers where those are narrower: as
 * variables, and as they lie in memory. */
typedef double eight __attribute__((vector_size(64)));
typedef float sixteen __attribute__((vector_size(64)));
typedef double eight_at __attribute__((vector_size(64), aligned(8), may_alias));
typedef float sixteen_at
    __attribute__((vector_size(64), aligned(4), may_alias));

/* Types and names are parameters. NOLINTBEGIN(bugprone-macro-parentheses) */
#define FOUR(q) 4 * (q), 4 * (q) + 1, 4 * (q) + 2, 4 * (q) + 3
#define PAIRS(p) p, p + 1, p + 4, p + 5, p + 8, p + 9, p + 12, p + 13
#define EVERY(p) p, p + 2, p + 4, p + 6, p + 8, p + 10, p + 12, p + 14

/* Halves `first` of two vectors and halves `last` of them, added. */
#define ITSELF(...) __VA_ARGS__
#define FOLD(sum, count, first, last)                                          \
    for (size_t r = 0; r < (count) / 2; r++)                                   \
        sum[r] =                                                               \
            __builtin_shufflevector(sum[2 * r], sum[2 * r + 1],                \
                                    ITSELF first) +                            \
            __builtin_shufflevector(sum[2 * r], sum[2 * r + 1], ITSELF last);

/* out[r] = the sum of sum[r], in dot()'s order. */
INLINE void add_up(double out[LANES], eight sum[LANES])
{
    FOLD(sum, 8, (FOUR(0), FOUR(2)), (FOUR(1), FOUR(3)))
    FOLD(sum, 4, (PAIRS(0)), (PAIRS(2)))
    FOLD(sum, 2, (EVERY(0)), (EVERY(1)))
    *(eight_at *)out = sum[0];
}

/* The same of sixteen, in dot_single()'s order. */
INLINE void add_up_single(float out[SINGLES], sixteen sum[SINGLES])
{
    FOLD(sum, 16, (FOUR(0), FOUR(1), FOUR(4), FOUR(5)),
         (FOUR(2), FOUR(3), FOUR(6), FOUR(7)))
    FOLD(sum, 8, (FOUR(0), FOUR(2), FOUR(4), FOUR(6)),
         (FOUR(1), FOUR(3), FOUR(5), FOUR(7)))
    FOLD(sum, 4, (PAIRS(0), PAIRS(16)), (PAIRS(2), PAIRS(18)))
    FOLD(sum, 2, (EVERY(0), EVERY(16)), (EVERY(1), EVERY(17)))
    *(sixteen_at *)out = sum[0];
}

/* Four sums at once keep an adder busy. */
INLINE void dots_four(eight sum[4], const double *a, const double *rows,
                      size_t stride, size_t whole)
{
    eight s[4] = {{0}};

    for (size_t k = 0; k < whole; k += LANES)
        for (size_t r = 0; r < 4; r++)
            s[r] += *(const eight_at *)(a + k) *
                    *(const eight_at *)(rows + r * stride + k);
    memcpy(sum, s, sizeof s);
}

INLINE void dots_eight(double out[LANES], const double *a, const double *rows,
                       size_t stride, size_t d)
{
    const size_t whole = d / LANES * LANES;
    eight sum[LANES];

    dots_four(sum, a, rows, stride, whole);
    dots_four(sum + 4, a, rows + 4 * stride, stride, whole);
    add_up(out, sum);
    for (size_t r = 0; r < LANES; r++) {
        double rest = 0;
        for (size_t k = whole; k < d; k++)
            rest += a[k] * rows[r * stride + k];
        out[r] += rest;
    }
}

INLINE void dots(double *out, const double *a, const double *rows, size_t count,
                 size_t stride, size_t d)
{
    size_t r = 0;

    for (; r + LANES <= count; r += LANES)
        dots_eight(out + r, a, rows + r * stride, stride, d);
    for (; r < count; r++)
        out[r] = dot(a, rows + r * stride, d);
}

INLINE float dot_single(const float *a, const float *b, size_t d)
{
    float sum[SINGLES] = {0};

    for (size_t k = 0; k < d; k += SINGLES)
        for (size_t l = 0; l < SINGLES; l++)
            sum[l] += a[k + l] * b[k + l];
    for (size_t l = 0; l < LANES; l++)
        sum[l] += sum[l + LANES];
    for (size_t l = 0; l < LANES / 2; l++)
        sum[l] += sum[l + LANES / 2];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

INLINE void dots_four_single(sixteen sum[4], const float *a, const float *rows,
                             size_t stride, size_t d)
{
    sixteen s[4] = {{0}};

    for (size_t k = 0; k < d; k += SINGLES)
        for (size_t r = 0; r < 4; r++)
            s[r] += *(const sixteen_at *)(a + k) *
                    *(const sixteen_at *)(rows + r * stride + k);
    memcpy(sum, s, sizeof s);
}

INLINE void dots_sixteen(double out[SINGLES], const float *a, const float *rows,
                         size_t stride, size_t d)
{
    float each[SINGLES];
    sixteen sum[SINGLES];

    dots_four_single(sum, a, rows, stride, d);
    dots_four_single(sum + 4, a, rows + 4 * stride, stride, d);
    dots_four_single(sum + 8, a, rows + 8 * stride, stride, d);
    dots_four_single(sum + 12, a, rows + 12 * stride, stride, d);
    add_up_single(each, sum);
    for (size_t r = 0; r < SINGLES; r++)
        out[r] = each[r];
}

INLINE void dots_single(double *out, const float *a, const float *rows,
                        size_t count, size_t stride, size_t d)
{
    size_t r = 0;

    for (; r + SINGLES <= count; r += SINGLES)
        dots_sixteen(out + r, a, rows + r * stride, stride, d);
    for (; r < count; r++)
        out[r] = dot_single(a, rows + r * stride, d);
}

INLINE void add(double *restrict out, double factor, const double *restrict x,
                size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] += factor * x[k];
}

INLINE void sum_of(double *restrict out, const double *restrict a,
                   double factor, const double *restrict b, size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] = a[k] + factor * b[k];
}

#define PAIR(name, real, vector)                                               \
    INLINE void name(real *out, const real *x, const double weight[2],         \
                     const real *y, size_t d)                                  \
    {                                                                          \
        const size_t lanes = sizeof(vector) / sizeof(real);                    \
        const real first = (real)weight[0], second = (real)weight[1];          \
        const vector zero = {0};                                               \
        size_t k = 0;                                                          \
        for (; k + lanes <= d; k += lanes)                                     \
            *(vector *)(out + k) = (zero + first * *(const vector *)(x + k)) + \
                                   second * *(const vector *)(y + k);          \
        for (; k < d; k++)                                                     \
            out[k] = (0 + first * x[k]) + second * y[k];                       \
    }
PAIR(pair, double, eight_at)
PAIR(pair_single, float, sixteen_at)

INLINE void widen(double *restrict out, const float *restrict x, size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] = x[k];
}

INLINE void narrow(float *restrict out, const double *restrict x, size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] = (float)x[k];
}

INLINE void descend(float *restrict out, const float *restrict x, double factor,
                    const float *restrict g, size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] = (float)((double)x[k] + factor * (double)g[k]);
}

typedef int64_t eight_whole __attribute__((vector_size(64)));

INLINE eight choose(eight_whole which, eight a, eight b)
{
    return (eight)((which & (eight_whole)a) | (~which & (eight_whole)b));
}

/* exp(x) = 2^n exp(r), |r| <= log(2) / 2: a Taylor polynomial whose rest is
 * below 5e-18. x is kept where 2^n is a normal number. */
INLINE eight exponential(eight x)
{
    const double round = 6755399441055744.0; /* 1.5 * 2^52 */
    const eight limit = (eight){0} + 700;
    const eight clamped =
        choose(x > limit, limit, choose(x < -limit, -limit, x));
    const eight shifted = clamped * 1.4426950408889634 + round;
    const eight n = shifted - round;
    const eight r = (clamped - n * 6.93147180369123816490e-01) -
                    n * 1.90821492927058770e-10;
    const eight square = r * r;
    eight odd = square * (1.0 / 6227020800), even = square * (1.0 / 479001600);

    odd = (odd + 1.0 / 39916800) * square;
    even = (even + 1.0 / 3628800) * square;
    odd = (odd + 1.0 / 362880) * square;
    even = (even + 1.0 / 40320) * square;
    odd = (odd + 1.0 / 5040) * square;
    even = (even + 1.0 / 720) * square;
    odd = (odd + 1.0 / 120) * square;
    even = (even + 1.0 / 24) * square;
    odd = (odd + 1.0 / 6) * square;
    even = (even + 0.5) * square;
    odd = odd + 1;
    even = even + 1;
    return (eight)((eight_whole)(even + r * odd) +
                   ((eight_whole)shifted << 52));
}

INLINE eight logistic_eight(eight x)
{
    return 1 / (1 + exponential(-x));
}

INLINE void logistic(double *out, const double *x, size_t d)
{
    eight rest = {0};
    size_t k = 0;

    for (; k + LANES <= d; k += LANES)
        *(eight_at *)(out + k) = logistic_eight(*(const eight_at *)(x + k));
    memcpy(&rest, x + k, (d - k) * sizeof *x);
    rest = logistic_eight(rest);
    memcpy(out + k, &rest, (d - k) * sizeof *x);
}

/* `lines` vectors of columns stay in registers while the rows pass. */
#define TILE(name, real, vector)                                               \
    INLINE void name(real *out, const double *weight, const uint32_t *column,  \
                     size_t count, const real *x, size_t stride, size_t lines) \
    {                                                                          \
        const size_t lanes = sizeof(vector) / sizeof(real);                    \
        vector sum[16];                                                        \
        for (size_t l = 0; l < lines; l++)                                     \
            sum[l] = *(const vector *)(out + l * lanes);                       \
        for (size_t k = 0; k < count; k++) {                                   \
            const real *row = x + column[k] * stride, w = (real)weight[k];     \
            for (size_t l = 0; l < lines; l++)                                 \
                sum[l] += w * *(const vector *)(row + l * lanes);              \
        }                                                                      \
        for (size_t l = 0; l < lines; l++)                                     \
            *(vector *)(out + l * lanes) = sum[l];                             \
    }

/* Parts of kernel_two(): `at_once` rows share the registers. */
INLINE eight widen_plain(const float *x)
{
    eight out = {0};

    for (size_t l = 0; l < LANES; l++)
        out[l] = x[l];
    return out;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) INLINE eight widen_wide(const float *x)
{
    const __m256d both[2] = {_mm256_cvtps_pd(_mm_loadu_ps(x)),
                             _mm256_cvtps_pd(_mm_loadu_ps(x + 4))};
    eight out;

    memcpy(&out, both, sizeof out);
    return out;
}

__attribute__((target("avx512f"))) INLINE eight widen_widest(const float *x)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(x));
}
#endif

/* A quarter of the sixteen rows behind block b: all at once would wait for each
 * other. */
INLINE void fetch(const struct kernel_two *t, size_t b, size_t part)
{
    const size_t quarter = SINGLES / 4 * t->d;
    const float *rows = t->rows + b * 4 * quarter;

    if (b + 1 == t->blocks && !t->ahead)
        return;
    rows += (4 + part) * quarter;
    for (size_t k = 0; k < quarter; k += SINGLES)
        __builtin_prefetch(rows + k, 0, 2);
}

/* a[d]: x's second half less its first, and zeros. */
INLINE void differ(double *restrict a, const double *restrict x, size_t inputs,
                   size_t d)
{
    for (size_t k = 0; k < inputs; k++)
        a[k] = x[inputs + k] - x[k];
    for (size_t k = inputs; k < d; k++)
        a[k] = 0;
}

INLINE void oppose(double *restrict g, const double *restrict sum,
                   size_t inputs)
{
    for (size_t k = 0; k < inputs; k++) {
        g[k] = -sum[k];
        g[inputs + k] = sum[k];
    }
}

INLINE void widen_dots(double out[SINGLES], const double *a, const float *rows,
                       size_t d, double *room, size_t at_once,
                       eight (*convert)(const float *x))
{
    eight sum[SINGLES];

    for (size_t from = 0; from < SINGLES; from += at_once) {
        eight s[SINGLES] = {{0}};
        for (size_t k = 0; k < d; k += LANES)
            for (size_t r = 0; r < at_once; r++) {
                const size_t at = (from + r) * d + k;
                const eight x = convert(rows + at);
                *(eight_at *)(room + at) = x;
                s[r] += *(const eight_at *)(a + k) * x;
            }
        for (size_t r = 0; r < at_once; r++)
            sum[from + r] = s[r];
    }
    add_up(out, sum);
    add_up(out + LANES, sum + LANES);
}

INLINE void slopes(double out[SINGLES], const uint32_t *label, double factor)
{
    for (size_t k = 0; k < SINGLES; k += LANES) {
        eight right = {0};
        for (size_t l = 0; l < LANES; l++)
            right[l] = label[k + l];
        *(eight_at *)(out + k) =
            factor * (logistic_eight(*(const eight_at *)(out + k)) - right);
    }
}

static const uint32_t in_turn[SINGLES] = {0, 1, 2,  3,  4,  5,  6,  7,
                                          8, 9, 10, 11, 12, 13, 14, 15};

#define CASE(name, lines)                                                      \
    case lines:                                                                \
        name##_tile(out, weight, column, count, x, stride, lines);             \
        break;

/* `most`: vectors that fit into the registers. The last columns, no whole
 * vector, are summed first and put in place last: their vector overlaps the one
 * before. */
#define GATHER(name, real, size, most)                                         \
    typedef real name##_vector                                                 \
        __attribute__((vector_size(size), aligned(sizeof(real)), may_alias));  \
    TILE(name##_tile, real, name##_vector)                                     \
    INLINE void name(real *out, const double *weight, const uint32_t *column,  \
                     size_t count, const real *x, size_t stride, size_t d)     \
    {                                                                          \
        const size_t lanes = size / sizeof(real), rest = d % lanes;            \
        real last[size / sizeof(real)], *end;                                  \
        for (size_t k = 0; d < lanes && k < d; k++)                            \
            for (size_t e = 0; e < count; e++)                                 \
                out[k] += (real)weight[e] * x[column[e] * stride + k];         \
        if (d < lanes)                                                         \
            return;                                                            \
        end = out + d - lanes;                                                 \
        if (rest > 0) {                                                        \
            memcpy(last, end, sizeof last);                                    \
            name##_tile(last, weight, column, count, x + d - lanes, stride,    \
                        1);                                                    \
        }                                                                      \
        for (; d >= most * lanes; d -= most * lanes) {                         \
            name##_tile(out, weight, column, count, x, stride, most);          \
            out += most * lanes;                                               \
            x += most * lanes;                                                 \
        }                                                                      \
        switch (d / lanes) {                                                   \
            CASE(name, 1)                                                      \
            CASE(name, 2)                                                      \
            CASE(name, 3)                                                      \
            CASE(name, 4)                                                      \
            CASE(name, 5)                                                      \
            CASE(name, 6)                                                      \
            CASE(name, 7)                                                      \
            CASE(name, 8)                                                      \
            CASE(name, 9)                                                      \
            CASE(name, 10)                                                     \
            CASE(name, 11)                                                     \
            CASE(name, 12)                                                     \
            CASE(name, 13)                                                     \
            CASE(name, 14)                                                     \
            CASE(name, 15)                                                     \
        }                                                                      \
        if (rest > 0)                                                          \
            memcpy(end, last, sizeof last);                                    \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

#endif
