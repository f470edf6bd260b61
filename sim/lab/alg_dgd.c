#include "sim/lab/alg_dgd.h"

#include "gossip/kernel.h"

/* W X - step G(X) */
static void cta_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_gradient(a, a->t[0], a->v[0]);
    kernel_sum(a->got[0], a->got[0], -a->set->step, a->t[0], a->d);
}

const struct alg alg_dgd_cta = {.name = "dgd-cta",
                                .takes = ALG_STEP,
                                .needs = ALG_DOUBLY | ALG_GRADIENTS,
                                .vectors = 1,
                                .sends = 1,
                                .combine = cta_combine};

/* W (Y after local steps Y - step G(Y)) */
static void local_message(struct alg_node *a, size_t phase)
{
    const double *from = a->v[0];
    double *y = a->send[0];

    (void)phase;
    for (uint64_t k = 0; k < a->set->local_steps; k++) {
        alg_gradient(a, a->t[0], from);
        for (size_t i = 0; a->set->mu > 0 && i < a->d; i++)
            a->t[0][i] += a->set->mu * (from[i] - a->v[0][i]);
        kernel_sum(y, from, -a->set->step, a->t[0], a->d);
        from = y;
    }
    if (from != y)
        alg_copy(y, from, a->d);
}

const struct alg alg_dgd_atc = {.name = "dgd-atc",
                                .takes = ALG_STEP,
                                .needs = ALG_DOUBLY | ALG_GRADIENTS,
                                .vectors = 1,
                                .sends = 1,
                                .message = local_message,
                                .only_sends = true,
                                .descends = true};

const struct alg alg_dgd_local = {.name = "local-dsgd",
                                  .takes = ALG_STEP | ALG_LOCAL_STEPS,
                                  .needs = ALG_DOUBLY | ALG_GRADIENTS,
                                  .vectors = 1,
                                  .sends = 1,
                                  .message = local_message,
                                  .only_sends = true,
                                  .descends = true};

const struct alg alg_dgd_epidemic = {.name = "epidemic",
                                     .takes = ALG_STEP | ALG_DEGREE | ALG_MODE |
                                              ALG_SENDS,
                                     .needs = ALG_RANDOM_SENDS,
                                     .vectors = 1,
                                     .sends = 1,
                                     .message = local_message,
                                     .only_sends = true,
                                     .descends = true};

const struct alg alg_dgd_teleportation = {
    .name = "teleportation",
    .takes = ALG_STEP | ALG_TOKENS | ALG_PLACEMENT,
    .needs = ALG_DOUBLY | ALG_GRADIENTS | ALG_ON_TOKENS,
    .vectors = 1,
    .sends = 1,
    .message = local_message,
    .only_sends = true,
    .descends = true};

const struct alg alg_dgd_fedavg = {.name = "fedavg",
                                   .takes = ALG_STEP | ALG_LOCAL_STEPS,
                                   .needs = ALG_GRADIENTS,
                                   .vectors = 1,
                                   .sends = 1,
                                   .matrix = {ALG_MEAN},
                                   .message = local_message,
                                   .only_sends = true,
                                   .descends = true};

const struct alg alg_dgd_fedprox = {.name = "fedprox",
                                    .takes =
                                        ALG_STEP | ALG_LOCAL_STEPS | ALG_MU,
                                    .needs = ALG_GRADIENTS,
                                    .vectors = 1,
                                    .sends = 1,
                                    .matrix = {ALG_MEAN},
                                    .message = local_message,
                                    .only_sends = true,
                                    .descends = true};
