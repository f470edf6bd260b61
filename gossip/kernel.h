/* The loops that take the lab's time. Every one adds in one fixed order, so
 * that wider registers, where the processor has them, change no bit. */

#ifndef GOSSIP_KERNEL_H
#define GOSSIP_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Eight sums side by side, then their sum. */
double kernel_dot(const double *a, const double *b, size_t d);
/* out[d] += factor * x[d] */
void kernel_add(double *out, double factor, const double *x, size_t d);
/* out[d] += sum_k weight[k] * x[column[k]], rows of x[.., d], in that order. */
void kernel_gather(double *out, const double *weight, const uint32_t *column,
                   size_t count, const double *x, size_t d);

#endif
