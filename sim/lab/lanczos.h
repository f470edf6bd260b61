/* Both ends of the spectrum of a large symmetric operator by the Lanczos
 * process, without restarts and without reorthogonalisation: the ends of the
 * tridiagonal matrix are right all the same, what is lost only shows up as
 * further copies of them. Paige, "Accuracy and effectiveness of the Lanczos
 * algorithm for the symmetric eigenproblem", Linear Algebra Appl. 34, 1980.
 */

#ifndef LAB_LANCZOS_H
#define LAB_LANCZOS_H

#include <stdbool.h>
#include <stddef.h>

struct lanczos_operator {
    size_t n;
    void (*product)(double *y, const double *x, const void *context);
    const void *context;
    bool apart; /* the ones are an eigenvector: of the others only */
};

/* Starts from the same vector every time; stops when half as many steps again
 * move neither end by more than 1e-12 max(1, |end|). Returns 0, -ENOMEM, or
 * -EDOM after 20 n + 1000 steps: it does not converge. */
int lanczos_ends(double *least, double *most,
                 const struct lanczos_operator *operator);

#endif
