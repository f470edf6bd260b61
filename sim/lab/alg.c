#include "sim/lab/alg.h"

#include <string.h>

#include "gossip/kernel.h"
#include "gossip/mixing.h"
#include "sim/lab/alg_choco.h"
#include "sim/lab/alg_dgd.h"
#include "sim/lab/alg_exact.h"
#include "sim/lab/alg_gossip.h"
#include "sim/lab/alg_local.h"
#include "sim/lab/alg_meet.h"
#include "sim/lab/alg_momentum.h"
#include "sim/lab/alg_relay.h"
#include "sim/lab/alg_sgp.h"
#include "sim/lab/alg_tracking.h"
#include "sim/lab/chance.h"
#include "sim/lab/faults.h"
#include "sim/lab/problem.h"

const struct alg *const alg_list[] = {
    &alg_gossip_sync,       &alg_gossip_push_sum,
    &alg_gossip_chebyshev,  &alg_gossip_second_order,
    &alg_gossip_pairwise,   &alg_gossip_clipped,
    &alg_dgd_cta,           &alg_dgd_atc,
    &alg_dgd_local,         &alg_dgd_epidemic,
    &alg_dgd_teleportation, &alg_dgd_fedavg,
    &alg_dgd_fedprox,       &alg_tracking_cta,
    &alg_tracking_momentum, &alg_tracking_ab,
    &alg_tracking_atc,      &alg_tracking_push_pull,
    &alg_exact_extra,       &alg_exact_d2,
    &alg_exact_nids,        &alg_sgp_push,
    &alg_momentum_dmsgd,    &alg_momentum_decentlam,
    &alg_momentum_qg,       &alg_momentum_qg_n,
    &alg_local_scaffold,    &alg_local_kgt,
    &alg_local_ltadmm,      &alg_choco_gossip,
    &alg_choco_sgd,         &alg_choco_deepsqueeze,
    &alg_choco_beer,        &alg_relay_sgd,
    &alg_meet_adpsgd,       NULL};

const struct alg *alg_find(const char *name)
{
    for (size_t i = 0; alg_list[i] != NULL; i++)
        if (strcmp(alg_list[i]->name, name) == 0)
            return alg_list[i];
    return NULL;
}

bool alg_uses(const struct alg *alg, enum alg_matrix matrix)
{
    for (size_t k = 0; k < (alg->phases == 0 ? 1 : alg->phases); k++)
        if (alg->matrix[k] == matrix)
            return true;
    return false;
}

static struct chance batch_of(const struct alg_node *a)
{
    const struct problem *p = a->world->problem;

    if (p->kind != PROBLEM_MODEL || p->learner->batch == 0)
        return (struct chance){0};
    return chance_of(a->set->seed, CHANCE_BATCH, a->place,
                     a->step * ALG_DRAWS + a->draws);
}

void alg_gradient(struct alg_node *a, double *g, const double *x)
{
    const struct problem *p = a->world->problem;

    struct slopes_way way = a->way;
    struct chance batch = batch_of(a);

    if (x != a->v[0])
        way.x = NULL;

    problem_gradient(g, p, (size_t)a->place, x, &batch, &way);
    a->world->draws[a->id] = ++a->draws;
    if (!(p->noise > 0))
        return;
    struct chance chance = chance_of(a->set->seed, CHANCE_NOISE, a->place,
                                     a->step * ALG_DRAWS + a->draws);
    for (size_t k = 0; k < a->d; k++)
        g[k] += p->noise * chance_normal(&chance);
}

void alg_descend(struct alg_node *a, float *out, const float *x)
{
    struct chance batch = batch_of(a);
    const struct problem *p = a->world->problem;
    const float *g =
        slopes_deep(p->learner, (size_t)a->place, x, &batch, a->way.room);

    a->world->draws[a->id] = ++a->draws;
    kernel_descend(out, x, -a->set->step, g, a->d);
}

void alg_compress(const struct alg_node *a, double *out, const double *in,
                  uint64_t draw)
{
    compress_apply(out, &a->set->compressor, in, a->d, a->set->seed, a->id,
                   a->step, draw);
}

double alg_weight(const struct alg_node *a, size_t k)
{
    const struct mixing *m = a->world->mixing;
    size_t place = mixing_find(m, (size_t)a->id, a->neighbour[k]);

    return place == SIZE_MAX ? 0 : m->weight[place];
}

const double *alg_received(const struct alg_node *a, size_t k)
{
    const struct alg_world *w = a->world;
    double *heard = a->t[ALG_SCRATCH - 1], lie;

    if (w->link_send != NULL)
        return w->link_send + w->reverse[w->first[a->id] + k] * (a->d + 1);
    if (w->faults == NULL ||
        !faults_lie(&lie, w->faults, a->neighbour[k], (size_t)a->id))
        return states_read(w->sent, a->neighbour[k], heard);
    for (size_t i = 0; i < a->d; i++)
        heard[i] = lie;
    return heard;
}

bool alg_lost(const struct alg_node *a, size_t k)
{
    const struct faults *f = a->world->faults;

    return f != NULL &&
           (faults_lost(f, a->step, a->neighbour[k], (size_t)a->id) ||
            faults_offline(f, a->step, a->neighbour[k]));
}
