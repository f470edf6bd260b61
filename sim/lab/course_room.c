#include "sim/lab/course_room.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/lab/course_node.h"
#include "sim/lab/shard.h"

/* Off-diagonal entries of the first matrix, and where each lies in the other
 * end's row. */
static int fill_links(struct course *c)
{
    const struct mixing *m = sequence_at(c->plan.mixes, 0);
    struct graph *g = m == NULL ? NULL : mixing_graph(m);

    if (g == NULL)
        return -ENOMEM;
    c->first = g->start;
    c->neighbour = g->to;
    const size_t links = g->start[g->n], width = c->d + 1;
    free(g);
    c->reverse = malloc((links + 1) * sizeof *c->reverse);
    c->link =
        calloc(links * c->plan.alg->link_vectors * width + 1, sizeof *c->link);
    c->link_send = calloc(links * width + 1, sizeof *c->link_send);
    if (c->reverse == NULL || c->link == NULL || c->link_send == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < c->n; i++)
        for (size_t e = c->first[i]; e < c->first[i + 1]; e++) {
            size_t j = c->neighbour[e], back = c->first[j];
            while (c->neighbour[back] != i)
                back++;
            c->reverse[e] = back;
        }
    return 0;
}

static bool allocate(double **to, size_t count)
{
    *to = states_room((count + 1) * sizeof **to);
    return *to != NULL;
}

bool course_room_in_place(const struct course_plan *p)
{
    const struct alg *alg = p->alg;
    bool all = alg->message == NULL && alg->combine == NULL &&
               alg->meet == NULL && alg->sends == 1 && alg->scalar_sends == 0 &&
               alg->phases <= 1 && alg->matrix[0] == ALG_W &&
               p->faults == NULL && shard_count() == 1 &&
               p->mixes->kind == SEQUENCE_CYCLE;

    for (size_t k = 0; all && k < p->mixes->count; k++)
        all = shift_is(p->mixes->mixes[k]);
    return all;
}

static bool allocate_states(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const bool single = c->plan.single;
    const size_t from = c->spread.from, to = c->spread.to;
    bool fine = true;

    for (size_t k = 0; k < alg->vectors; k++)
        fine = fine && states_part(&c->v[k], c->n, c->d, single, from, to) == 0;
    for (size_t k = 0; k < alg->sends && alg->message != NULL; k++)
        fine =
            fine && states_part(&c->send[k], c->n, c->d, single, from, to) == 0;
    if (fine && course_room_in_place(&c->plan))
        return (c->shift.room = states_room(
                    shift_room(&c->v[0]) * pool_threads(c->plan.pool))) != NULL;
    if (alg->message == NULL && alg->sends > 0)
        fine = fine && states_part(&c->next, c->n, c->d, single, from, to) == 0;
    return fine;
}

/* See course_node_begin(). One more than the threads: a meeting is of two
 * nodes. */
static bool allocate_scratch(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const size_t rows = ALG_SCRATCH + ALG_SENDS_MAX +
                        (c->plan.single ? alg->vectors + alg->sends : 0);
    const size_t size = rows * states_width(c->d, false) +
                        problem_room(c->plan.problem) +
                        2 * (size_t)COURSE_NODE_SPACING;

    c->scratch_size = (size / COURSE_NODE_SPACING + 1) * COURSE_NODE_SPACING;
    return allocate(&c->scratch,
                    (pool_threads(c->plan.pool) + 1) * c->scratch_size);
}

int course_room_make(struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const size_t n = c->n, d = c->d;
    bool fine = spread_new(&c->spread, n, alg->meet != NULL) == 0;
    const size_t blocks = fine ? c->spread.blocks[c->spread.ranks] : 0;

    fine = fine && allocate_states(c) && allocate_scratch(c);

    for (size_t k = 0; k < ALG_SENDS_MAX; k++)
        fine = fine && allocate(&c->mean[k], d);
    fine = fine && allocate(&c->s, n * alg->scalars) &&
           allocate(&c->send_s, n) &&
           allocate(&c->partial, blocks * (d + 1) + 1) &&
           allocate(&c->start_mean, d) && allocate(&c->now, n) &&
           allocate(&c->then, n);
    c->draws = calloc(n, sizeof *c->draws);
    c->average = mixing_average(n);
    if (!fine || c->draws == NULL || c->average == NULL)
        return -ENOMEM;
    return (alg->needs & ALG_LINKS) != 0 ? fill_links(c) : 0;
}

void course_room_free(struct course *c)
{
    spread_free(&c->spread);
    for (size_t k = 0; k < ALG_VECTORS_MAX; k++)
        states_free(&c->v[k]);
    for (size_t k = 0; k < ALG_SENDS_MAX; k++) {
        states_free(&c->send[k]);
        free(c->mean[k]);
    }
    for (size_t k = 0; k < 2; k++)
        mixing_free(c->real[k]);
    mixing_free(c->average);
    free(c->s);
    free(c->send_s);
    states_free(&c->next);
    free(c->shift.room);
    free(c->link);
    free(c->link_send);
    free(c->first);
    free(c->neighbour);
    free(c->reverse);
    free(c->scratch);
    free(c->partial);
    free(c->start_mean);
    free(c->now);
    free(c->then);
    free(c->draws);
}
