#include "sim/lab/course_clock.h"

#include <errno.h>
#include <math.h>
#include <string.h>

bool course_clock_on(const struct course *c)
{
    return c->plan.clock != NULL && c->plan.clock->on;
}

/* What goes along a link in an exchange. */
double course_clock_bytes(const struct course *c)
{
    const struct alg *alg = c->plan.alg;
    const double bits = compress_bits(&c->plan.setting.compressor, c->d);

    return ((double)(alg->sends + alg->link_sends) * bits +
            64 * (double)alg->scalar_sends) /
           8;
}

static struct clock_turn turn_now(const struct course *c)
{
    return (struct clock_turn){.seed = c->plan.setting.seed,
                               .step = c->step,
                               .bytes = course_clock_bytes(c),
                               .computes = c->phase == 0,
                               .faults = c->plan.faults};
}

int course_clock_run(struct course *c)
{
    const struct clock_turn turn = turn_now(c);

    if (!course_clock_on(c))
        return 0;
    struct mixing *sparse =
        mixing_sparse(c->mixing[c->plan.alg->matrix[c->phase]]);
    if (sparse == NULL)
        return -ENOMEM;
    clock_round(c->now, c->then, c->plan.clock, &turn, sparse);
    mixing_free(sparse);
    return 0;
}

/* Each node at its own pace: the one that is done first; of several the first
 * by number. */
size_t course_clock_next(const struct course *c)
{
    size_t first = 0;

    for (size_t i = 1; i < c->n; i++)
        if (c->then[i] < c->then[first])
            first = i;
    return first;
}

bool course_clock_own_pace(const struct course *c)
{
    return course_clock_on(c) && c->plan.clock->barrier == CLOCK_NONE;
}

/* then[i]: when i will be done computing, a function of now[i] alone, so that a
 * run goes on from its states and now[]. */
void course_clock_set_done(struct course *c, size_t i)
{
    struct clock_turn turn = turn_now(c);

    memcpy(&turn.step, &c->now[i], sizeof turn.step);
    c->then[i] = c->now[i] + clock_compute(c->plan.clock, &turn, i);
}

/* Meeting b, a waits for what it sends to come back; b does not, but where
 * there is a barrier. */
void course_clock_pass(struct course *c, size_t a, size_t b, uint64_t tick)
{
    struct clock_turn turn = turn_now(c);
    const struct clock_laws *laws = c->plan.clock;

    if (!course_clock_on(c))
        return;
    turn.step = tick;
    turn.bytes = 8 * (double)c->d;
    const double trip = a == b ? 0
                               : clock_travel(laws, &turn, a, b) +
                                     clock_travel(laws, &turn, b, a);
    if (course_clock_own_pace(c)) {
        c->now[a] = c->then[a] + trip;
        course_clock_set_done(c, a);
        return;
    }
    const double met =
        fmax(c->now[a], c->now[b]) + clock_compute(laws, &turn, a) + trip / 2;
    for (size_t i = 0; laws->barrier == CLOCK_GLOBAL && i < c->n; i++)
        c->now[i] = met;
    c->now[a] = c->now[b] = met;
}

void course_clock_measure(struct course_row *row, const struct course *c)
{
    row->clock_min = row->clock_max = c->now[0];
    for (size_t i = 0; i < c->n; i++) {
        row->clock_min = fmin(row->clock_min, c->now[i]);
        row->clock_max = fmax(row->clock_max, c->now[i]);
        row->clock_mean += c->now[i] / (double)c->n;
    }
}
