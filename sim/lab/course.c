#include "sim/lab/course.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sim/lab/course_clock.h"
#include "sim/lab/course_meet.h"
#include "sim/lab/course_node.h"
#include "sim/lab/course_phase.h"
#include "sim/lab/course_room.h"
#include "sim/lab/course_sums.h"
#include "sim/lab/shard.h"

/* The matrices of this step: [ALG_W], [ALG_COLUMNS], [ALG_MEAN]. Even where W
 * is both, what is lost makes two of it. */
static int take_matrices(struct course *c)
{
    const struct course_plan *p = &c->plan;
    struct sequence *both[2] = {p->mixes, p->columns};

    for (size_t k = 0; k < 2; k++) {
        mixing_free(c->real[k]);
        c->real[k] = NULL;
        c->mixing[k] = k == 1 && p->columns == NULL
                           ? c->mixing[0]
                           : sequence_at(both[k], c->step);
        if (c->mixing[k] == NULL)
            return -ENOMEM;
    }
    for (size_t k = 0; k < 2; k++) {
        const bool lies = p->faults != NULL && p->faults->liar != NULL &&
                          c->mixing[k]->kind == MIXING_CIRCULANT;
        if (!lies && (p->faults == NULL || faults_none(p->faults)))
            continue;
        if (!alg_uses(p->alg, (enum alg_matrix)k))
            continue;
        c->real[k] =
            faults_mixing(p->faults, c->mixing[k], c->step, p->rules[k]);
        if (c->real[k] == NULL)
            return -ENOMEM;
    }
    for (size_t k = 0; k < 2; k++)
        if (c->real[k] != NULL)
            c->mixing[k] = c->real[k];
    c->mixing[ALG_MEAN] = c->average;
    c->world.mixing = c->mixing[ALG_W];
    return 0;
}

static void count_gradients(struct course *c)
{
    if (c->plan.problem->kind == PROBLEM_CONSENSUS)
        return;
    for (size_t i = c->spread.from; i < c->spread.to; i++) {
        c->gradients += (double)c->draws[i];
        c->draws[i] = 0;
    }
}

void course_gather_gradients(struct course *c)
{
    if (c->spread.ranks == 1)
        return;
    const double all = shard_sum(c->gradients);
    c->gradients = shard_rank() == 0 ? all : 0;
}

int course_step(struct course *c, struct error *error)
{
    const struct alg *alg = c->plan.alg;
    int code = take_matrices(c);

    c->error = error;
    if (code == 0 && alg->meet != NULL)
        code = course_meet_run(c);
    for (c->phase = 0; code == 0 && alg->meet == NULL &&
                       c->phase < (alg->phases == 0 ? 1 : alg->phases);
         c->phase++) {
        course_phase_run(c);
        code = course_clock_run(c);
    }
    c->phase = 0;
    if (code == -ENOMEM)
        error_set(error, code, "%s: out of memory", alg->name);
    if (code != 0 && c->spread.ranks > 1)
        shard_stop(error->text); /* the others wait for our messages */
    if (code != 0)
        return code;
    count_gradients(c);
    c->step++;
    return 0;
}

int course_advance(size_t *done, struct course *c, size_t most,
                   struct error *error)
{
    if (c->shift.room == NULL || course_clock_on(c)) {
        *done = 1;
        return course_step(c, error);
    }
    *done = course_phase_shift(c, most);
    c->step += *done;
    return 0;
}

static void measure_mass(struct course_row *row, const struct course *c)
{
    double *room = c->scratch, all[] = {0, HUGE_VAL, -HUGE_VAL, 0};
    const bool spread = c->spread.ranks > 1;

    if (spread)
        shard_before(all, 4);
    for (size_t i = c->spread.from; i < c->spread.to; i++) {
        double w = c->s[i * c->plan.alg->scalars];
        all[0] += w;
        all[1] = fmin(all[1], w);
        all[2] = fmax(all[2], w);
        all[3] += states_read(&c->v[1], i, room)[0];
    }
    if (spread) {
        shard_next(all, 4);
        shard_tell(all, sizeof all, c->spread.ranks - 1);
    }
    row->mass = all[0];
    row->least = all[1];
    row->most = all[2];
    row->sum = all[3];
}

void course_measure(struct course_row *row, struct course *c)
{
    const struct problem *p = c->plan.problem;
    const bool *liar = c->plan.faults == NULL ? NULL : c->plan.faults->liar;
    double *mean = c->mean[0], count = 0;

    course_gather_gradients(c);
    *row = (struct course_row){.step = c->step,
                               .vectors = c->vectors,
                               .bytes = c->bytes,
                               .gradients = c->gradients};
    course_sums_mean(mean, c, &c->v[0], liar);
    course_sums_squares(&row->cons, &row->err, c, mean, liar);
    for (size_t i = 0; i < c->n; i++)
        count += liar == NULL || !liar[i];
    row->cons /= count;
    row->err /= count;
    row->mean = mean[0];
    row->mse = row->cons;
    for (size_t k = 0; k < c->d; k++)
        row->mse += (mean[k] - c->start_mean[k]) * (mean[k] - c->start_mean[k]);
    if (p->kind != PROBLEM_CONSENSUS && shard_rank() == 0)
        row->gap = problem_value(p, mean) - p->best_value;
    if (c->plan.alg->scalar_sends > 0)
        measure_mass(row, c);
    course_clock_measure(row, c);
}

static void init_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    struct alg_node a;

    course_node_open(&a, c, thread);
    for (size_t i = from; i < to; i++) {
        course_node_begin(&a, c, i);
        alg_copy(a.v[0], c->plan.problem->init + a.place * c->d, c->d);
        if (c->plan.alg->init != NULL)
            c->plan.alg->init(&a);
        course_node_end(&a, c);
    }
}

static void settle_rows(void *context, size_t from, size_t to, size_t thread)
{
    struct course *c = context;
    struct alg_node a;

    course_node_open(&a, c, thread);
    for (size_t i = from; i < to; i++) {
        course_node_begin(&a, c, i);
        alg_copy(a.got[0], c->mean[0], c->d);
        c->plan.alg->settle(&a);
        course_node_end(&a, c);
    }
}

double course_bytes(const struct course_plan *plan)
{
    const struct alg *alg = plan->alg;
    const size_t messages = course_room_in_place(plan) ? 0
                            : alg->message == NULL     ? alg->sends > 0
                                                       : alg->sends;
    const size_t d = plan->problem->d;
    const double all = (double)states_bytes(plan->mixes->n, d, plan->single);
    double links = 0;

    if ((alg->needs & ALG_LINKS) != 0 && plan->mixes->count > 0)
        links = (double)mixing_links(plan->mixes->mixes[0]);
    return all * (double)(alg->vectors + messages) +
           8 * (double)d * links * (double)(alg->link_vectors + 1);
}

int course_new(struct course **course, const struct course_plan *plan,
               struct error *error)
{
    struct course *c = calloc(1, sizeof *c);

    *course = NULL;
    if (c == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", plan->alg->name);
    c->plan = *plan;
    c->n = plan->mixes->n;
    c->d = plan->problem->d;
    int code = course_room_make(c);
    if (code != 0)
        error_set(error, code, "%s: out of memory for %zu nodes of %zu numbers",
                  plan->alg->name, plan->mixes->n, plan->problem->d);
    code = shard_agree(code, error);
    if (code != 0) {
        course_free(c);
        return code;
    }
    c->world = (struct alg_world){
        .problem = plan->problem,
        .faults = plan->faults,
        .sent = &c->send[0],
        .first = c->first,
        .reverse = c->reverse,
        .link_send = plan->alg->link_sends ? c->link_send : NULL,
        .draws = c->draws};
    course_node_run(c, init_rows);
    if (plan->alg->settle != NULL) {
        course_sums_mean(c->mean[0], c, &c->send[0], NULL);
        course_node_run(c, settle_rows);
    }
    count_gradients(c);
    course_sums_mean(c->start_mean, c, &c->v[0],
                     plan->faults == NULL ? NULL : plan->faults->liar);
    *course = c;
    return 0;
}

void course_free(struct course *c)
{
    if (c != NULL)
        course_room_free(c);
    free(c);
}

const double *course_state(const struct course *c, size_t i)
{
    return course_vector(c, 0, i);
}

size_t course_rows(const struct course *c)
{
    return c->n;
}

const double *course_vector(const struct course *c, size_t v, size_t i)
{
    assert(v < c->plan.alg->vectors && i < c->n);
    return states_read(&c->v[v], i, c->scratch);
}
