#include "sim/lab/alg_meet.h"

/* AD-PSGD: v[1]: the snapshot where a's gradient was taken. a finishes it,
 * averages with b at once, then steps. */
static void begin(struct alg_node *a)
{
    alg_copy(a->v[1], a->v[0], a->d);
}

static void meet(struct alg_node *a, struct alg_node *b)
{
    double *g = a->t[0];

    alg_gradient(a, g, a->v[1]);
    for (size_t k = 0; k < a->d; k++)
        a->v[0][k] = b->v[0][k] = (a->v[0][k] + b->v[0][k]) / 2;
    alg_add(a->v[0], a->v[0], -a->set->step, g, a->d);
    alg_copy(a->v[1], a->v[0], a->d);
}

const struct alg alg_meet_adpsgd = {.name = "adpsgd",
                                    .takes = ALG_STEP,
                                    .needs = ALG_MEETINGS | ALG_GRADIENTS,
                                    .vectors = 2,
                                    .init = begin,
                                    .meet = meet};
