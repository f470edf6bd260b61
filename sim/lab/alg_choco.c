#include "sim/lab/alg_choco.h"

/* v[1]: xh, which all neighbours know; v[2]: sum_j W_ij xh_j, kept up to date
 * by what arrives, so that only q travels */

static void send_difference(struct alg_node *a)
{
    alg_add(a->t[0], a->v[0], -1, a->v[1], a->d);
    alg_compress(a, a->send[0], a->t[0], 0);
    alg_add(a->v[1], a->v[1], 1, a->send[0], a->d);
}

static void mix(struct alg_node *a)
{
    for (size_t k = 0; k < a->d; k++)
        a->v[0][k] += a->set->gamma * (a->v[2][k] - a->v[1][k]);
}

static void step(struct alg_node *a)
{
    alg_gradient(a, a->t[0], a->v[0]);
    alg_add(a->v[0], a->v[0], -a->set->step, a->t[0], a->d);
}

static void gossip_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    send_difference(a);
}

static void gossip_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_add(a->v[2], a->v[2], 1, a->got[0], a->d);
    mix(a);
}

const struct alg alg_choco_gossip = {.name = "choco-gossip",
                                     .takes = ALG_GAMMA | ALG_COMPRESSOR,
                                     .needs =
                                         ALG_FIXED | ALG_COPIES | ALG_DOUBLY,
                                     .vectors = 3,
                                     .sends = 1,
                                     .message = gossip_message,
                                     .combine = gossip_combine};

/* ICML'19: step, compress, mix. ICLR'20: step, mix with what is known, then
 * compress. */
static void sgd_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    step(a);
    if (a->set->iclr20)
        mix(a);
    send_difference(a);
}

static void sgd_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_add(a->v[2], a->v[2], 1, a->got[0], a->d);
    if (!a->set->iclr20)
        mix(a);
}

const struct alg alg_choco_sgd = {
    .name = "choco-sgd",
    .takes = ALG_STEP | ALG_GAMMA | ALG_COMPRESSOR | ALG_ORDER,
    .needs = ALG_FIXED | ALG_COPIES | ALG_DOUBLY | ALG_GRADIENTS,
    .vectors = 3,
    .sends = 1,
    .message = sgd_message,
    .combine = sgd_combine};

/* DeepSqueeze: v[1]: e; v = x - step g + e; c = Q(v); e = v - c;
 * x+ = c + gamma (W - I) c */
static void squeeze_message(struct alg_node *a, size_t phase)
{
    double *v = a->t[1];

    (void)phase;
    alg_gradient(a, a->t[0], a->v[0]);
    alg_add(v, a->v[0], -a->set->step, a->t[0], a->d);
    alg_add(v, v, 1, a->v[1], a->d);
    alg_compress(a, a->send[0], v, 0);
    alg_add(a->v[1], v, -1, a->send[0], a->d);
}

static void squeeze_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    for (size_t k = 0; k < a->d; k++)
        a->v[0][k] =
            a->send[0][k] + a->set->gamma * (a->got[0][k] - a->send[0][k]);
}

const struct alg alg_choco_deepsqueeze = {
    .name = "deepsqueeze",
    .takes = ALG_STEP | ALG_GAMMA | ALG_COMPRESSOR,
    .needs = ALG_FIXED | ALG_DOUBLY | ALG_GRADIENTS,
    .vectors = 2,
    .sends = 1,
    .message = squeeze_message,
    .combine = squeeze_combine};

/* BEER: v[1]: V, v[2]: H, v[3]: W H, v[4]: S, v[5]: W S, v[6]: G
 * X+ = X + gamma (W - I) H - step V; H+ = H + Q(X+ - H);
 * V+ = V + gamma (W - I) S + G(X+) - G(X); S+ = S + Q(V+ - S) */
static void beer_begin(struct alg_node *a)
{
    alg_gradient(a, a->v[1], a->v[0]);
    alg_copy(a->v[6], a->v[1], a->d);
}

static void beer_message(struct alg_node *a, size_t phase)
{
    double *g = a->t[0];

    (void)phase;
    for (size_t k = 0; k < a->d; k++) {
        a->v[0][k] += a->set->gamma * (a->v[3][k] - a->v[2][k]) -
                      a->set->step * a->v[1][k];
        a->v[1][k] += a->set->gamma * (a->v[5][k] - a->v[4][k]);
    }
    alg_gradient(a, g, a->v[0]);
    for (size_t k = 0; k < a->d; k++)
        a->v[1][k] += g[k] - a->v[6][k];
    alg_copy(a->v[6], g, a->d);
    for (size_t s = 0; s < 2; s++) {
        double *copy = a->v[2 + 2 * s];
        alg_add(a->t[1], a->v[s], -1, copy, a->d);
        alg_compress(a, a->send[s], a->t[1], s);
        alg_add(copy, copy, 1, a->send[s], a->d);
    }
}

static void beer_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_add(a->v[3], a->v[3], 1, a->got[0], a->d);
    alg_add(a->v[5], a->v[5], 1, a->got[1], a->d);
}

const struct alg alg_choco_beer = {
    .name = "beer",
    .takes = ALG_STEP | ALG_GAMMA | ALG_COMPRESSOR,
    .needs = ALG_FIXED | ALG_COPIES | ALG_DOUBLY | ALG_GRADIENTS,
    .vectors = 7,
    .sends = 2,
    .init = beer_begin,
    .message = beer_message,
    .combine = beer_combine};
