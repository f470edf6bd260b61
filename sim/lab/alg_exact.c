#include "sim/lab/alg_exact.h"

/* v[1]: X before, v[2]: its gradient, v[3]: W X before (EXTRA) */

/* X1 = W X0 - step G0;
 * X+ = (I + W) X - (I + W) / 2 X_prev - step (G - G_prev) */
static void extra_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_copy(a->send[0], a->v[0], a->d);
}

static void extra_combine(struct alg_node *a, size_t phase)
{
    double *g = a->t[0];

    (void)phase;
    alg_gradient(a, g, a->v[0]);
    for (size_t k = 0; k < a->d; k++) {
        double x = a->v[0][k], mixed = a->got[0][k];
        a->v[0][k] = a->step == 0 ? mixed - a->set->step * g[k]
                                  : x + mixed - (a->v[1][k] + a->v[3][k]) / 2 -
                                        a->set->step * (g[k] - a->v[2][k]);
        a->v[1][k] = x;
        a->v[2][k] = g[k];
        a->v[3][k] = mixed;
    }
}

const struct alg alg_exact_extra = {.name = "extra",
                                    .takes = ALG_STEP,
                                    .needs = ALG_DOUBLY | ALG_SYMMETRIC |
                                             ALG_GRADIENTS,
                                    .vectors = 4,
                                    .sends = 1,
                                    .message = extra_message,
                                    .combine = extra_combine};

/* X1 = W (X0 - step G0); X+ = W (2 X - X_prev - step (G - G_prev)) */
static void d2_message(struct alg_node *a, size_t phase)
{
    double *g = a->t[0];

    (void)phase;
    alg_gradient(a, g, a->v[0]);
    for (size_t k = 0; k < a->d; k++) {
        double x = a->v[0][k];
        a->send[0][k] = a->step == 0 ? x - a->set->step * g[k]
                                     : 2 * x - a->v[1][k] -
                                           a->set->step * (g[k] - a->v[2][k]);
        a->v[1][k] = x;
        a->v[2][k] = g[k];
    }
}

static void d2_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_copy(a->v[0], a->got[0], a->d);
}

const struct alg alg_exact_d2 = {.name = "d2",
                                 .takes = ALG_STEP,
                                 .needs = ALG_DOUBLY | ALG_SYMMETRIC |
                                          ALG_GRADIENTS | ALG_ABOVE_THIRD,
                                 .vectors = 3,
                                 .sends = 1,
                                 .message = d2_message,
                                 .combine = d2_combine};

/* D2 with (I + W) / 2, whose first step does not mix. */
static void nids_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    for (size_t k = 0; k < a->d; k++)
        a->v[0][k] =
            a->step == 0 ? a->send[0][k] : (a->send[0][k] + a->got[0][k]) / 2;
}

const struct alg alg_exact_nids = {.name = "nids",
                                   .takes = ALG_STEP,
                                   .needs = ALG_DOUBLY | ALG_SYMMETRIC |
                                            ALG_GRADIENTS,
                                   .vectors = 3,
                                   .sends = 1,
                                   .message = d2_message,
                                   .combine = nids_combine};
