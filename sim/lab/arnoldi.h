/* The largest modulus among the eigenvalues of a large operator that is not
 * symmetric, by ARPACK's implicitly restarted Arnoldi process. Lehoucq,
 * Sorensen and Yang, "ARPACK Users' Guide", SIAM 1998.
 */

#ifndef LAB_ARNOLDI_H
#define LAB_ARNOLDI_H

#include <stddef.h>

/* product: y = A x, [n]. Starts from the same vector every time. Returns 0,
 * -ENOMEM, or -EDOM: it does not converge. Requires n > 60. */
int arnoldi_modulus(double *modulus, size_t n,
                    void (*product)(double *y, const double *x,
                                    const void *context),
                    const void *context);

#endif
