#include "sim/lab/alg_local.h"

#include <string.h>

/* SCAFFOLD, all clients: v[1]: c_i, v[2]: c
 * K times y <- y - step (g(y) - c_i + c); c_i+ = c_i - c + (x - y) / (K step);
 * x+ = x + server_step mean(y - x); c+ = c + mean(c_i+ - c_i) */
static void scaffold_message(struct alg_node *a, size_t phase)
{
    const double K = (double)a->set->local_steps;
    double *y = a->t[0], *g = a->t[1];

    (void)phase;
    alg_copy(y, a->v[0], a->d);
    for (uint64_t k = 0; k < a->set->local_steps; k++) {
        alg_gradient(a, g, y);
        alg_add(g, g, -1, a->v[1], a->d);
        alg_add(g, g, 1, a->v[2], a->d);
        alg_add(y, y, -a->set->step, g, a->d);
    }
    for (size_t k = 0; k < a->d; k++) {
        a->send[0][k] = y[k] - a->v[0][k];
        a->send[1][k] = (a->v[0][k] - y[k]) / (K * a->set->step) - a->v[2][k];
        a->v[1][k] += a->send[1][k];
    }
}

static void scaffold_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_add(a->v[0], a->v[0], a->set->server_step, a->got[0], a->d);
    alg_add(a->v[2], a->v[2], 1, a->got[1], a->d);
}

const struct alg alg_local_scaffold = {.name = "scaffold",
                                       .takes = ALG_STEP | ALG_SERVER_STEP |
                                                ALG_LOCAL_STEPS,
                                       .needs = ALG_GRADIENTS | ALG_DIVIDES,
                                       .vectors = 3,
                                       .sends = 2,
                                       .matrix = {ALG_MEAN},
                                       .message = scaffold_message,
                                       .combine = scaffold_combine};

/* K-GT: v[1]: c, -g_i(x0) + mean g(x0) at first; v[2]: z
 * K times y <- y - step (g(y) + c); z = (x - y) / (K step);
 * c+ = c - z + W z; x+ = W (x - K server_step step z) */
static void kgt_begin(struct alg_node *a)
{
    alg_gradient(a, a->send[0], a->v[0]);
    for (size_t k = 0; k < a->d; k++)
        a->v[1][k] = -a->send[0][k];
}

static void kgt_settle(struct alg_node *a)
{
    alg_add(a->v[1], a->v[1], 1, a->got[0], a->d);
}

static void kgt_message(struct alg_node *a, size_t phase)
{
    const double reach = (double)a->set->local_steps * a->set->step;
    double *y = a->t[0], *g = a->t[1];

    (void)phase;
    alg_copy(y, a->v[0], a->d);
    for (uint64_t k = 0; k < a->set->local_steps; k++) {
        alg_gradient(a, g, y);
        alg_add(g, g, 1, a->v[1], a->d);
        alg_add(y, y, -a->set->step, g, a->d);
    }
    for (size_t k = 0; k < a->d; k++) {
        a->v[2][k] = (a->v[0][k] - y[k]) / reach;
        a->send[0][k] = a->v[0][k] - reach * a->set->server_step * a->v[2][k];
        a->send[1][k] = a->v[2][k];
    }
}

static void kgt_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_copy(a->v[0], a->got[0], a->d);
    for (size_t k = 0; k < a->d; k++)
        a->v[1][k] += a->got[1][k] - a->v[2][k];
}

const struct alg alg_local_kgt = {
    .name = "kgt",
    .takes = ALG_STEP | ALG_SERVER_STEP | ALG_LOCAL_STEPS,
    .needs = ALG_DOUBLY | ALG_GRADIENTS | ALG_DIVIDES,
    .vectors = 3,
    .sends = 2,
    .init = kgt_begin,
    .settle = kgt_settle,
    .message = kgt_message,
    .combine = kgt_combine};

/* LT-ADMM: link: z_ij, x_i^0 at first
 * corr = beta (rho d_i x - sum_j z_ij); K times x <- x - step g(x) - corr;
 * sends z_ij - 2 rho x+; z_ij+ = (z_ij - (z_ji - 2 rho x_j+)) / 2 */
static void admm_begin(struct alg_node *a)
{
    for (size_t j = 0; j < a->links; j++)
        alg_copy(a->link + j * (a->d + 1), a->v[0], a->d);
}

static void admm_message(struct alg_node *a, size_t phase)
{
    const double rho = a->set->rho, wide = rho * (double)a->links;
    double *corr = a->t[0], *g = a->t[1];

    (void)phase;
    memset(corr, 0, a->d * sizeof *corr);
    for (size_t j = 0; j < a->links; j++)
        alg_add(corr, corr, 1, a->link + j * (a->d + 1), a->d);
    for (size_t k = 0; k < a->d; k++)
        corr[k] = a->set->beta * (wide * a->v[0][k] - corr[k]);
    for (uint64_t k = 0; k < a->set->local_steps; k++) {
        alg_gradient(a, g, a->v[0]);
        alg_add(a->v[0], a->v[0], -a->set->step, g, a->d);
        alg_add(a->v[0], a->v[0], -1, corr, a->d);
    }
    for (size_t j = 0; j < a->links; j++)
        alg_add(a->link_send + j * (a->d + 1), a->link + j * (a->d + 1),
                -2 * rho, a->v[0], a->d);
}

static void admm_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    for (size_t j = 0; j < a->links; j++) {
        double *z = a->link + j * (a->d + 1);
        const double *other = alg_received(a, j);
        for (size_t k = 0; k < a->d && !alg_lost(a, j); k++)
            z[k] = (z[k] - other[k]) / 2;
    }
}

const struct alg alg_local_ltadmm = {.name = "ltadmm",
                                     .takes = ALG_STEP | ALG_BETA | ALG_RHO |
                                              ALG_LOCAL_STEPS,
                                     .needs = ALG_LINKS | ALG_GRADIENTS,
                                     .vectors = 1,
                                     .link_vectors = 1,
                                     .link_sends = true,
                                     .init = admm_begin,
                                     .message = admm_message,
                                     .combine = admm_combine};
