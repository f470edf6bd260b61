#include "sim/lab/alg_relay.h"

#include <string.h>

/* v[1]: x^0; v[2]: h = x - step g. link: m_{j -> i} and, last, its count
 * m_{i -> j} = h_i + sum over other neighbours k of m_{k -> i}, counts
 * likewise; x+ = (h + sum_j m_{j -> i} + (n - count) x^0) / n s[0]: the largest
 * count so far. Whoever was heard before and now is lost on the way is stood
 * for by the node's own h. */
static void begin(struct alg_node *a)
{
    alg_copy(a->v[1], a->v[0], a->d);
}

static void message(struct alg_node *a, size_t phase)
{
    const size_t width = a->d + 1;

    (void)phase;
    alg_gradient(a, a->t[0], a->v[0]);
    alg_add(a->v[2], a->v[0], -a->set->step, a->t[0], a->d);
    for (size_t j = 0; j < a->links; j++) {
        double *m = a->link_send + j * width;
        alg_copy(m, a->v[2], a->d);
        m[a->d] = 1;
        for (size_t k = 0; k < a->links; k++)
            if (k != j)
                alg_add(m, m, 1, a->link + k * width, width);
    }
}

static void combine(struct alg_node *a, size_t phase)
{
    const size_t width = a->d + 1;
    const double n = (double)a->n;
    double *sum = a->t[0], count = 1;

    (void)phase;
    alg_copy(sum, a->v[2], a->d);
    for (size_t j = 0; j < a->links; j++) {
        double *m = a->link + j * width;
        if (alg_lost(a, j)) {
            memset(m, 0, width * sizeof *m);
            continue;
        }
        alg_copy(m, alg_received(a, j), width);
        alg_add(sum, sum, 1, m, a->d);
        count += m[a->d];
    }
    if (count > a->s[0])
        a->s[0] = count;
    for (size_t k = 0; k < a->d; k++)
        a->v[0][k] = (sum[k] + (n - a->s[0]) * a->v[1][k] +
                      (a->s[0] - count) * a->v[2][k]) /
                     n;
}

const struct alg alg_relay_sgd = {.name = "relaysgd",
                                  .takes = ALG_STEP,
                                  .needs = ALG_TREE | ALG_LINKS | ALG_GRADIENTS,
                                  .vectors = 3,
                                  .scalars = 1,
                                  .link_vectors = 1,
                                  .link_sends = true,
                                  .init = begin,
                                  .message = message,
                                  .combine = combine};
