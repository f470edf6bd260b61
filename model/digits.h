/* Exact numbers among a training round's values: counts and sums that must not
 * be rounded at random.
 *
 * In 64-bit lanes a number is one element as it stands. On a grid it is several
 * elements, its digits in a power of two, each exactly a point of the grid (or,
 * on fine grids, of every fourth, since a double then no longer holds point and
 * noise together). Equal bits on every machine.
 */

#ifndef MODEL_DIGITS_H
#define MODEL_DIGITS_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/fixed.h"

/* Elements of one number. */
size_t digits_count(const struct fixed_shape *shape);

/* x[digits_count]: value to a multiple of 2^-32. False unless 0 <= value <
 * 2^30. */
bool digits_write(double *x, double value, const struct fixed_shape *shape);

/* The number that x[digits_count], or sums of such elements, stand for. */
double digits_read(const double *x, const struct fixed_shape *shape);

#endif
