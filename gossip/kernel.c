#include "gossip/kernel.h"

#include <string.h>

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

INLINE void dots(double *out, const double *a, const double *rows, size_t count,
                 size_t stride, size_t d)
{
    for (size_t r = 0; r < count; r++)
        out[r] = dot(a, rows + r * stride, d);
}

INLINE void dots_single(double *out, const float *a, const float *rows,
                        size_t count, size_t stride, size_t d)
{
    for (size_t r = 0; r < count; r++) {
        const float *b = rows + r * stride;
        float sum[2 * LANES] = {0};
        for (size_t k = 0; k < d; k += 2 * LANES)
            for (size_t l = 0; l < 2 * LANES; l++)
                sum[l] += a[k + l] * b[k + l];
        for (size_t l = 0; l < LANES; l++)
            sum[l] += sum[l + LANES];
        for (size_t l = 0; l < LANES / 2; l++)
            sum[l] += sum[l + LANES / 2];
        out[r] = (sum[0] + sum[2]) + (sum[1] + sum[3]);
    }
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

INLINE void pair(double *restrict x, const double weight[2],
                 const double *restrict y, size_t d)
{
    const double first = weight[0], second = weight[1];

    for (size_t k = 0; k < d; k++)
        x[k] = (0 + first * x[k]) + second * y[k];
}

INLINE void pair_single(float *restrict x, const double weight[2],
                        const float *restrict y, size_t d)
{
    const float first = (float)weight[0], second = (float)weight[1];

    for (size_t k = 0; k < d; k++)
        x[k] = (0 + first * x[k]) + second * y[k];
}

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

/* exp(x) = 2^n exp(r), |r| <= log(2) / 2: a Taylor polynomial whose rest is
 * below 5e-18. x is kept where 2^n is a normal number. */
INLINE double exponential(double x)
{
    const double round = 6755399441055744.0; /* 1.5 * 2^52 */
    const double clamped = x > 700 ? 700 : x < -700 ? -700 : x;
    const double shifted = clamped * 1.4426950408889634 + round;
    const double n = shifted - round;
    const double r = (clamped - n * 6.93147180369123816490e-01) -
                     n * 1.90821492927058770e-10;
    double p = 1.0 / 6227020800;
    uint64_t bits, power;

    p = p * r + 1.0 / 479001600;
    p = p * r + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1;
    p = p * r + 1;
    memcpy(&power, &shifted, sizeof power);
    memcpy(&bits, &p, sizeof bits);
    bits += power << 52;
    memcpy(&p, &bits, sizeof p);
    return p;
}

INLINE void logistic(double *restrict out, const double *restrict x, size_t d)
{
    for (size_t k = 0; k < d; k++)
        out[k] = 1 / (1 + exponential(-x[k]));
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
        real last[size / sizeof(real)], *end = out + d - lanes;                \
        for (size_t k = 0; d < lanes && k < d; k++)                            \
            for (size_t e = 0; e < count; e++)                                 \
                out[k] += (real)weight[e] * x[column[e] * stride + k];         \
        if (d < lanes)                                                         \
            return;                                                            \
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

/* One table of all of them for each kind of processor. */
struct kernels {
    __typeof__(kernel_dot) *dot;
    __typeof__(kernel_dots) *dots;
    __typeof__(kernel_dots_single) *dots_single;
    __typeof__(kernel_add) *add;
    void (*gather)(double *out, const double *weight, const uint32_t *column,
                   size_t count, const double *x, size_t stride, size_t d);
    void (*gather_single)(float *out, const double *weight,
                          const uint32_t *column, size_t count, const float *x,
                          size_t stride, size_t d);
    __typeof__(kernel_sum) *sum;
    __typeof__(kernel_pair) *pair;
    __typeof__(kernel_pair_single) *pair_single;
    __typeof__(kernel_widen) *widen;
    __typeof__(kernel_narrow) *narrow;
    __typeof__(kernel_logistic) *logistic;
};

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
    target static void kind##_pair(double *x, const double weight[2],          \
                                   const double *y, size_t d)                  \
    {                                                                          \
        pair(x, weight, y, d);                                                 \
    }                                                                          \
    target static void kind##_pair_single(float *x, const double weight[2],    \
                                          const float *y, size_t d)            \
    {                                                                          \
        pair_single(x, weight, y, d);                                          \
    }                                                                          \
    target static void kind##_widen(double *out, const float *x, size_t d)     \
    {                                                                          \
        widen(out, x, d);                                                      \
    }                                                                          \
    target static void kind##_narrow(float *out, const double *x, size_t d)    \
    {                                                                          \
        narrow(out, x, d);                                                     \
    }                                                                          \
    target static void kind##_logistic(double *out, const double *x, size_t d) \
    {                                                                          \
        logistic(out, x, d);                                                   \
    }                                                                          \
    static const struct kernels kind = {                                       \
        kind##_dot,   kind##_dots,   kind##_dots_single,                       \
        kind##_add,   kind##_gather, kind##_gather_single,                     \
        kind##_sum,   kind##_pair,   kind##_pair_single,                       \
        kind##_widen, kind##_narrow, kind##_logistic};

KERNELS(plain, 16, 8, )

#ifdef __x86_64__
KERNELS(wide, 32, 8, __attribute__((target("avx2"))))
KERNELS(widest, 64, 16,
        __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))))

static const struct kernels *best(void)
{
    if (__builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return &widest;
    return __builtin_cpu_supports("avx2") ? &wide : &plain;
}
#else
static const struct kernels *best(void)
{
    return &plain;
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

void kernel_pair(double *x, const double weight[2], const double *y, size_t d)
{
    best()->pair(x, weight, y, d);
}

void kernel_pair_single(float *x, const double weight[2], const float *y,
                        size_t d)
{
    best()->pair_single(x, weight, y, d);
}

void kernel_widen(double *out, const float *x, size_t d)
{
    best()->widen(out, x, d);
}

void kernel_narrow(float *out, const double *x, size_t d)
{
    best()->narrow(out, x, d);
}

void kernel_logistic(double *out, const double *x, size_t d)
{
    best()->logistic(out, x, d);
}
