#include "sim/lab/alg_tracking.h"

/* v[1]: the tracker Y, whose mean is that of G; v[2]: the last gradient, or u
 * of momentum tracking. */
static void begin(struct alg_node *a)
{
    alg_gradient(a, a->v[1], a->v[0]);
    alg_copy(a->v[2], a->v[1], a->d);
}

/* The new gradient's difference to the last one, which it replaces. With beta,
 * u <- beta u + g takes the gradient's place. */
static void refresh(struct alg_node *a, double *difference)
{
    double *g = a->t[0];

    alg_gradient(a, g, a->v[0]);
    alg_add(g, g, a->set->beta, a->v[2], a->d);
    alg_add(difference, g, -1, a->v[2], a->d);
    alg_copy(a->v[2], g, a->d);
}

/* CTA: X+ = W X - step Y; Y+ = W Y + G+ - G. One exchange of both. */
static void cta_message(struct alg_node *a, size_t phase)
{
    alg_copy(a->send[0], a->v[phase], a->d);
}

static void cta_combine(struct alg_node *a, size_t phase)
{
    if (phase == 0) {
        alg_add(a->v[0], a->got[0], -a->set->step, a->v[1], a->d);
        return;
    }
    refresh(a, a->t[1]);
    alg_add(a->v[1], a->got[0], 1, a->t[1], a->d);
}

const struct alg alg_tracking_cta = {.name = "gt-cta",
                                     .takes = ALG_STEP,
                                     .needs = ALG_DOUBLY | ALG_GRADIENTS,
                                     .vectors = 3,
                                     .sends = 1,
                                     .phases = 2,
                                     .init = begin,
                                     .message = cta_message,
                                     .combine = cta_combine};

const struct alg alg_tracking_momentum = {.name = "momentum-tracking",
                                          .takes = ALG_STEP | ALG_BETA,
                                          .needs = ALG_DOUBLY | ALG_GRADIENTS,
                                          .vectors = 3,
                                          .sends = 1,
                                          .phases = 2,
                                          .init = begin,
                                          .message = cta_message,
                                          .combine = cta_combine};

const struct alg alg_tracking_ab = {.name = "ab",
                                    .takes = ALG_STEP,
                                    .needs = ALG_GRADIENTS | ALG_DOUBLY,
                                    .vectors = 3,
                                    .sends = 1,
                                    .phases = 2,
                                    .matrix = {ALG_W, ALG_COLUMNS},
                                    .init = begin,
                                    .message = cta_message,
                                    .combine = cta_combine};

/* ATC: X+ = W (X - step Y); Y+ = W (Y + G(X+) - G(X)) */
static void atc_message(struct alg_node *a, size_t phase)
{
    if (phase == 0) {
        alg_add(a->send[0], a->v[0], -a->set->step, a->v[1], a->d);
        return;
    }
    refresh(a, a->t[1]);
    alg_add(a->send[0], a->v[1], 1, a->t[1], a->d);
}

static void atc_combine(struct alg_node *a, size_t phase)
{
    alg_copy(a->v[phase], a->got[0], a->d);
}

const struct alg alg_tracking_atc = {.name = "gt-atc",
                                     .takes = ALG_STEP,
                                     .needs = ALG_DOUBLY | ALG_GRADIENTS,
                                     .vectors = 3,
                                     .sends = 1,
                                     .phases = 2,
                                     .init = begin,
                                     .message = atc_message,
                                     .combine = atc_combine};

/* Push-Pull: X+ = R (X - step Y); Y+ = C Y + G(X+) - G(X) */
static void pull_message(struct alg_node *a, size_t phase)
{
    if (phase == 0)
        alg_add(a->send[0], a->v[0], -a->set->step, a->v[1], a->d);
    else
        alg_copy(a->send[0], a->v[1], a->d);
}

static void pull_combine(struct alg_node *a, size_t phase)
{
    if (phase == 0) {
        alg_copy(a->v[0], a->got[0], a->d);
        return;
    }
    refresh(a, a->t[1]);
    alg_add(a->v[1], a->got[0], 1, a->t[1], a->d);
}

const struct alg alg_tracking_push_pull = {.name = "push-pull",
                                           .takes = ALG_STEP,
                                           .needs = ALG_GRADIENTS | ALG_DOUBLY,
                                           .vectors = 3,
                                           .sends = 1,
                                           .phases = 2,
                                           .matrix = {ALG_W, ALG_COLUMNS},
                                           .init = begin,
                                           .message = pull_message,
                                           .combine = pull_combine};
