#include "sim/lab/alg_sgp.h"

/* v[0]: Z = X / w, where the gradient is; v[1]: X, which takes the step */
static void begin(struct alg_node *a)
{
    alg_copy(a->v[1], a->v[0], a->d);
    a->s[0] = 1;
}

static void message(struct alg_node *a, size_t phase)
{
    (void)phase;
    alg_gradient(a, a->t[0], a->v[0]);
    alg_add(a->send[0], a->v[1], -a->set->step, a->t[0], a->d);
    a->send_s[0] = a->s[0];
}

static void combine(struct alg_node *a, size_t phase)
{
    (void)phase;
    a->s[0] = a->got_s[0];
    for (size_t k = 0; k < a->d; k++) {
        a->v[1][k] = a->got[0][k];
        a->v[0][k] = a->v[1][k] / a->s[0];
    }
}

const struct alg alg_sgp_push = {.name = "sgp",
                                 .takes = ALG_STEP,
                                 .needs = ALG_COLUMNS_SUM | ALG_GRADIENTS,
                                 .vectors = 2,
                                 .scalars = 1,
                                 .sends = 1,
                                 .scalar_sends = 1,
                                 .matrix = {ALG_COLUMNS},
                                 .init = begin,
                                 .message = message,
                                 .combine = combine};
