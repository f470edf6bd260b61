#include "sim/lab/alg_momentum.h"

/* v[1]: the momentum m */

/* m+ = beta m + g; X+ = W (X - step m+) */
static void dmsgd_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_gradient(a, a->t[0], a->v[0]);
    alg_add(a->v[1], a->t[0], a->set->beta, a->v[1], a->d);
    alg_add(a->send[0], a->v[0], -a->set->step, a->v[1], a->d);
}

static void take(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_copy(a->v[0], a->got[0], a->d);
}

const struct alg alg_momentum_dmsgd = {.name = "dmsgd",
                                       .takes = ALG_STEP | ALG_BETA,
                                       .needs = ALG_DOUBLY | ALG_GRADIENTS,
                                       .vectors = 2,
                                       .sends = 1,
                                       .message = dmsgd_message,
                                       .combine = take};

/* m+ = beta m + (X - W (X - step G)) / step; X+ = X - step m+ */
static void lam_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_gradient(a, a->t[0], a->v[0]);
    alg_add(a->send[0], a->v[0], -a->set->step, a->t[0], a->d);
}

static void lam_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    for (size_t k = 0; k < a->d; k++) {
        double pull = (a->v[0][k] - a->got[0][k]) / a->set->step;
        a->v[1][k] = a->set->beta * a->v[1][k] + pull;
        a->v[0][k] -= a->set->step * a->v[1][k];
    }
}

const struct alg alg_momentum_decentlam = {.name = "decentlam",
                                           .takes = ALG_STEP | ALG_BETA,
                                           .needs = ALG_DOUBLY | ALG_GRADIENTS |
                                                    ALG_DIVIDES,
                                           .vectors = 2,
                                           .sends = 1,
                                           .message = lam_message,
                                           .combine = lam_combine};

/* m = beta mh + g, direction m, or g + beta m (N);
 * X+ = W (X - step direction); mh+ = mu mh + (1 - mu) (X - X+) / step */
static void qg_direction(struct alg_node *a, bool nesterov)
{
    double *g = a->t[0], *m = a->t[1];

    alg_gradient(a, g, a->v[0]);
    alg_add(m, g, a->set->beta, a->v[1], a->d);
    if (nesterov)
        alg_add(m, g, a->set->beta, m, a->d);
    alg_add(a->send[0], a->v[0], -a->set->step, m, a->d);
}

static void qg_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    qg_direction(a, false);
}

static void qg_n_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    qg_direction(a, true);
}

static void qg_combine(struct alg_node *a, size_t phase)
{
    const double mu = a->set->mu;

    (void)phase;
    for (size_t k = 0; k < a->d; k++) {
        double pull = (a->v[0][k] - a->got[0][k]) / a->set->step;
        a->v[1][k] = mu * a->v[1][k] + (1 - mu) * pull;
        a->v[0][k] = a->got[0][k];
    }
}

const struct alg alg_momentum_qg = {.name = "qg-dsgdm",
                                    .takes = ALG_STEP | ALG_BETA | ALG_MU,
                                    .needs = ALG_DOUBLY | ALG_GRADIENTS |
                                             ALG_DIVIDES,
                                    .vectors = 2,
                                    .sends = 1,
                                    .message = qg_message,
                                    .combine = qg_combine};

const struct alg alg_momentum_qg_n = {.name = "qg-dsgdm-n",
                                      .takes = ALG_STEP | ALG_BETA | ALG_MU,
                                      .needs = ALG_DOUBLY | ALG_GRADIENTS |
                                               ALG_DIVIDES,
                                      .vectors = 2,
                                      .sends = 1,
                                      .message = qg_n_message,
                                      .combine = qg_combine};
