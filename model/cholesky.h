/* Cholesky factors of small symmetric matrices, in a fixed order of
 * operations: equal bits on every machine. Golub and Van Loan, "Matrix
 * Computations", 4th edition, section 4.2. */

#ifndef MODEL_CHOLESKY_H
#define MODEL_CHOLESKY_H

#include <stddef.h>

/* a[n, n], row-major, lower triangle used: becomes L with a = L L'. A pivot
 * that is at most relative * (its diagonal element) + absolute counts as zero.
 * Returns n, or the index of the first such pivot; a is then half done. */
size_t cholesky_factor(double *a, size_t n, double relative, double absolute);

/* x[n] becomes the solution of L L' x = x. */
void cholesky_solve(double *x, const double *l, size_t n);

/* inverse[n, n] of L L', both triangles. */
void cholesky_invert(double *inverse, const double *l, size_t n);

#endif
