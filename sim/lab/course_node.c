#include "sim/lab/course_node.h"

#include "gossip/kernel.h"
#include "sim/lab/chance.h"

/* Rows that are worth a thread of their own: some 10 microseconds. */
static size_t grain(const struct course *c)
{
    return 1 + 8192 / (c->d + 8);
}

void course_node_run(struct course *c, void (*work)(void *context, size_t from,
                                                    size_t to, size_t thread))
{
    spread_rows(&c->spread, c->plan.pool, grain(c), work, c);
}

/* Row i in place, or of single precision a copy; of any content if `blank`. */
static double *row_in(const struct states *x, size_t i, double *room,
                      bool blank)
{
    if (!x->single)
        return states_row(x, i);
    if (!blank)
        kernel_widen(room, states_row(x, i), x->d);
    return room;
}

void course_node_open(struct alg_node *a, struct course *c, size_t thread)
{
    const struct alg *alg = c->plan.alg;
    const size_t wide = states_width(c->d, false);
    const size_t copied = c->plan.single ? wide : 0;
    double *room = c->scratch + thread * c->scratch_size;

    *a = (struct alg_node){.set = &c->plan.setting,
                           .d = c->d,
                           .n = c->n,
                           .step = c->step,
                           .world = &c->world};
    for (size_t k = 0; k < ALG_SCRATCH; k++, room += wide)
        a->t[k] = room;
    for (size_t k = 0; k < ALG_SENDS_MAX; k++, room += wide)
        a->got[k] = room;
    for (size_t k = 0; k < alg->vectors; k++, room += copied)
        a->v[k] = room;
    for (size_t k = 0; k < alg->sends && alg->message != NULL;
         k++, room += copied)
        a->send[k] = room;
    a->got_s = room;
    a->way.single = c->plan.single;
    a->way.room = room + COURSE_NODE_SPACING;
}

static void take_rows(struct alg_node *a, const struct course *c, size_t i)
{
    const struct alg *alg = c->plan.alg;

    for (size_t k = 0; k < alg->vectors; k++)
        a->v[k] = row_in(&c->v[k], i, a->v[k], false);
    for (size_t k = 0; k < alg->sends && alg->message != NULL; k++)
        a->send[k] = row_in(&c->send[k], i, a->send[k], alg->only_sends);
    if (alg->only_sends && c->plan.single)
        a->way.x = states_row(&c->v[0], i);
    if (c->next.x != NULL && !c->plan.single)
        a->got[0] = states_row(&c->next, i);
    a->s = c->s + i * alg->scalars;
    a->send_s = c->send_s + i;
    if (c->first == NULL)
        return;
    a->links = c->first[i + 1] - c->first[i];
    a->neighbour = c->neighbour + c->first[i];
    a->link = c->link + c->first[i] * alg->link_vectors * (c->d + 1);
    a->link_send = c->link_send + c->first[i] * (c->d + 1);
}

void course_node_put(const struct alg_node *a, struct course *c, size_t first,
                     bool sends)
{
    const struct alg *alg = c->plan.alg;
    const size_t i = (size_t)a->id;

    if (!c->plan.single)
        return;
    for (size_t k = first; k < alg->vectors; k++)
        states_write(&c->v[k], i, a->v[k]);
    for (size_t k = 0; k < alg->sends && alg->message != NULL && sends; k++)
        states_write(&c->send[k], i, a->send[k]);
}

void course_node_end(const struct alg_node *a, struct course *c)
{
    course_node_put(a, c, 0, !c->plan.alg->only_sends);
}

static size_t place_of(const struct course *c, size_t token)
{
    const struct table *t = c->plan.placement;

    if (t == NULL) {
        struct chance chance =
            chance_of(c->plan.setting.seed, CHANCE_TOKENS, token, c->step);
        return (size_t)chance_below(&chance, c->plan.problem->n);
    }
    size_t row = (size_t)c->step * c->n + token;
    return row < t->rows ? (size_t)t->v[3 * row + 2] : 0;
}

void course_node_name(struct alg_node *a, const struct course *c, size_t i)
{
    a->id = i;
    a->place = (c->plan.alg->needs & ALG_ON_TOKENS) != 0 ? place_of(c, i) : i;
    a->draws = c->draws[i];
}

void course_node_begin(struct alg_node *a, struct course *c, size_t i)
{
    course_node_name(a, c, i);
    take_rows(a, c, i);
}

bool course_node_offline(const struct course *c, size_t i)
{
    return c->plan.faults != NULL && faults_offline(c->plan.faults, c->step, i);
}
