/* Eigenvalues: by LAPACK for at most SPECTRUM_NODES_MAX nodes; beyond, of
 * circulant matrices, such as a ring's, in closed form and of others by Lanczos
 * (symmetric) or Arnoldi. */

#ifndef LAB_SPECTRUM_H
#define LAB_SPECTRUM_H

#include <stdbool.h>

#include "gossip/mixing.h"
#include "model/error.h"

enum {
    SPECTRUM_NODES_MAX = 2000,
    SPECTRUM_QUICK_MAX = 10000 /* beyond, it may take minutes */
};

struct spectrum {
    bool symmetric;
    double lambda2;  /* second largest, real; of a directed W: largest modulus
                        but the one at 1 */
    double lambda_n; /* smallest; NAN if W is not symmetric */
    double slem, gap;
    double norm;                /* ||W - 11'/n||_2 */
    bool rows_sum, columns_sum; /* to 1 within 1e-9; the plan fills them in */
};

/* Returns 0, -ENOMEM, -EINVAL; above SPECTRUM_NODES_MAX also -EDOM: it does not
 * converge, or neither the rows nor the columns of W sum to 1. */
int spectrum_of(struct spectrum *spectrum, const struct mixing *mixing,
                struct error *error);

/* By Lanczos or Arnoldi, whatever the size, if that is above 60. */
int spectrum_sparse(struct spectrum *spectrum, const struct mixing *mixing,
                    struct error *error);

/* values[n] of a symmetric W, ascending. */
int spectrum_values(double *values, const struct mixing *mixing,
                    struct error *error);

/* Second smallest and largest eigenvalue of the graph's Laplacian. */
int spectrum_laplacian(double *least, double *most, const struct graph *graph,
                       struct error *error);

#endif
