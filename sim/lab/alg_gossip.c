#include "sim/lab/alg_gossip.h"

#include <math.h>

const struct alg alg_gossip_sync = {
    .name = "gossip", .needs = ALG_ROWS_SUM, .vectors = 1, .sends = 1};

/* Columns that sum to one are enough for push-sum, and all that a sender who
 * knows only its own out-degree can do. v[0] is the ratio, v[1] the mass. */
static void push_begin(struct alg_node *a)
{
    alg_copy(a->v[1], a->v[0], a->d);
    a->s[0] = 1;
}

static void push_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_copy(a->send[0], a->v[1], a->d);
    a->send_s[0] = a->s[0];
}

static void push_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    a->s[0] = a->got_s[0];
    for (size_t k = 0; k < a->d; k++) {
        a->v[1][k] = a->got[0][k];
        a->v[0][k] = a->v[1][k] / a->s[0];
    }
}

const struct alg alg_gossip_push_sum = {.name = "push-sum",
                                        .needs = ALG_COLUMNS_SUM,
                                        .vectors = 2,
                                        .scalars = 1,
                                        .sends = 1,
                                        .scalar_sends = 1,
                                        .matrix = {ALG_COLUMNS},
                                        .init = push_begin,
                                        .message = push_message,
                                        .combine = push_combine};

/* v[1]: the state before; s[0]: omega */
static void accelerate(struct alg_node *a, double omega)
{
    for (size_t k = 0; k < a->d; k++) {
        double next = omega * a->got[0][k] + (1 - omega) * a->v[1][k];
        a->v[1][k] = a->v[0][k];
        a->got[0][k] = a->step == 0 ? a->got[0][k] : next;
    }
}

static void chebyshev_combine(struct alg_node *a, size_t phase)
{
    const double square = a->set->slem * a->set->slem;

    (void)phase;
    if (a->step == 1)
        a->s[0] = 1 / (1 - square / 2);
    if (a->step > 1)
        a->s[0] = 1 / (1 - square * a->s[0] / 4);
    accelerate(a, a->s[0]);
}

const struct alg alg_gossip_chebyshev = {.name = "chebyshev",
                                         .needs = ALG_DOUBLY | ALG_SYMMETRIC |
                                                  ALG_SLEM,
                                         .vectors = 2,
                                         .scalars = 1,
                                         .sends = 1,
                                         .combine = chebyshev_combine};

static void second_combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    accelerate(a, 2 / (1 + sqrt(1 - a->set->slem * a->set->slem)));
}

const struct alg alg_gossip_second_order = {.name = "second-order",
                                            .needs = ALG_DOUBLY |
                                                     ALG_SYMMETRIC | ALG_SLEM,
                                            .vectors = 2,
                                            .sends = 1,
                                            .combine = second_combine};

static void pair(struct alg_node *a, struct alg_node *b)
{
    for (size_t k = 0; k < a->d; k++)
        a->v[0][k] = b->v[0][k] = (a->v[0][k] + b->v[0][k]) / 2;
}

const struct alg alg_gossip_pairwise = {.name = "pairwise",
                                        .needs = ALG_MEETINGS,
                                        .vectors = 1,
                                        .meet = pair,
                                        .one_a_step = true};

/* x_i + sum_j W_ij clip(x_j - x_i, tau) */
static void clipped_message(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_copy(a->send[0], a->v[0], a->d);
}

static void clipped_combine(struct alg_node *a, size_t phase)
{
    double *sum = a->t[0];

    (void)phase;
    alg_copy(sum, a->v[0], a->d);
    for (size_t j = 0; j < a->links; j++) {
        const double *other = alg_received(a, j);
        double size = 0;
        for (size_t k = 0; k < a->d; k++)
            size += (other[k] - a->v[0][k]) * (other[k] - a->v[0][k]);
        size = sqrt(size);
        double keep = size > a->set->tau ? a->set->tau / size : 1;
        for (size_t k = 0; k < a->d; k++)
            sum[k] += alg_weight(a, j) * keep * (other[k] - a->v[0][k]);
    }
    alg_copy(a->v[0], sum, a->d);
}

const struct alg alg_gossip_clipped = {.name = "clipped-gossip",
                                       .takes = ALG_TAU,
                                       .needs = ALG_ROWS_SUM | ALG_LINKS,
                                       .vectors = 1,
                                       .sends = 1,
                                       .message = clipped_message,
                                       .combine = clipped_combine};
