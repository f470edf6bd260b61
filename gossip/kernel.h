/* The loops that take the lab's time. Every one adds in one fixed order and
 * rounds after each operation, so that wider registers, where the processor has
 * them, change no bit. */

#ifndef GOSSIP_KERNEL_H
#define GOSSIP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Eight sums side by side, then their sum. */
double kernel_dot(const double *a, const double *b, size_t d);
/* out[count] = kernel_dot of a[d] with each of rows[count, stride]. */
void kernel_dots(double *out, const double *a, const double *rows, size_t count,
                 size_t stride, size_t d);
/* The same of floats, in single precision, with sixteen sums; stride and d in
 * sixteens. */
void kernel_dots_single(double *out, const float *a, const float *rows,
                        size_t count, size_t stride, size_t d);
/* out[d] += factor * x[d] */
void kernel_add(double *out, double factor, const double *x, size_t d);
/* out[d] += sum_k weight[k] * x[column[k]], in that order; rows of x begin
 * `stride` apart. */
void kernel_gather(double *out, const double *weight, const uint32_t *column,
                   size_t count, const double *x, size_t stride, size_t d);
/* The same in single precision. */
void kernel_gather_single(float *out, const double *weight,
                          const uint32_t *column, size_t count, const float *x,
                          size_t stride, size_t d);

/* out[d] = a[d] + factor * b[d]; out may be a. */
void kernel_sum(double *out, const double *a, double factor, const double *b,
                size_t d);
/* out[d] = weight[0] * x[d] + weight[1] * y[d], with kernel_gather's bits; out
 * may be x. */
void kernel_pair(double *out, const double *x, const double weight[2],
                 const double *y, size_t d);
void kernel_pair_single(float *out, const float *x, const double weight[2],
                        const float *y, size_t d);

void kernel_widen(double *out, const float *x, size_t d);
void kernel_narrow(float *out, const double *x, size_t d); /* to nearest */
/* out[d] = x[d] + factor * g[d], in double precision, to nearest. */
void kernel_descend(float *out, const float *x, double factor, const float *g,
                    size_t d);
/* out[d] = 1 / (1 + exp(-x[d])), within 4e-16. */
void kernel_logistic(double *out, const double *x, size_t d);

/* A softmax of two classes over blocks of sixteen rows. */
struct kernel_two {
    size_t inputs, d;      /* the rows' own numbers; and zeros, in sixteens */
    size_t blocks;         /* of sixteen rows */
    const float *rows;     /* [16 blocks, d] */
    const uint32_t *label; /* [16 blocks] 0 or 1 */
    double factor;         /* 1 / rows */
    double *room;          /* scratch: [18, d] */
    bool ahead;            /* sixteen rows follow that are wanted next */
};
/* g[2, inputs] at x[2, inputs], with the bits of kernel_dots, kernel_logistic
 * and kernel_gather. */
void kernel_two(double *g, const double *x, const struct kernel_two *two);
/* The same with sums in single precision. */
void kernel_two_single(double *g, const double *x,
                       const struct kernel_two *two);

/* All of these for one kind of processor; kernel_sum's out is not its a. */
struct kernel_set {
    const char *name;
    __typeof__(kernel_dot) *dot;
    __typeof__(kernel_dots) *dots;
    __typeof__(kernel_dots_single) *dots_single;
    __typeof__(kernel_add) *add;
    __typeof__(kernel_gather) *gather;
    __typeof__(kernel_gather_single) *gather_single;
    __typeof__(kernel_sum) *sum;
    __typeof__(kernel_pair) *pair;
    __typeof__(kernel_pair_single) *pair_single;
    __typeof__(kernel_widen) *widen;
    __typeof__(kernel_narrow) *narrow;
    __typeof__(kernel_descend) *descend;
    __typeof__(kernel_logistic) *logistic;
    __typeof__(kernel_two) *two;
    __typeof__(kernel_two_single) *two_single;
};

enum { KERNEL_SETS_MAX = 3 };

/* Those that this processor can run, the fastest first, which is what the
 * functions above use; "plain" is last. Returns their count. */
size_t kernel_sets(const struct kernel_set *sets[KERNEL_SETS_MAX]);

#endif
