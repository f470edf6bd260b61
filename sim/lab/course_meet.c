#include "sim/lab/course_meet.h"

#include <errno.h>

#include "sim/lab/chance.h"
#include "sim/lab/course_clock.h"
#include "sim/lab/course_node.h"

/* The next pair: from the schedule, or a node (by chance, each alike, or by the
 * clock) and a neighbour of it by chance. */
static int next_pair(size_t pair[2], struct course *c, uint64_t tick)
{
    const struct table *t = c->plan.wake;
    const struct mixing *m = c->mixing[ALG_W];

    if (t != NULL) {
        if (c->at_meeting == t->rows)
            return error_set(c->error, -EINVAL,
                             "wake: found %zu meetings, expected more for this "
                             "many steps",
                             t->rows);
        pair[0] = (size_t)t->v[3 * c->at_meeting + 1];
        pair[1] = (size_t)t->v[3 * c->at_meeting++ + 2];
        return 0;
    }
    struct chance chance =
        chance_of(c->plan.setting.seed, CHANCE_MEET, 0, tick);
    size_t i = (size_t)chance_below(&chance, c->n);
    if (course_clock_own_pace(c))
        i = course_clock_next(c);
    size_t others = m->start[i + 1] - m->start[i] - 1;
    pair[0] = pair[1] = i;
    if (others == 0)
        return 0;
    size_t e = m->start[i] + (size_t)chance_below(&chance, others);
    pair[1] = m->column[e] == i || (m->column[e] > i) ? m->column[e + 1]
                                                      : m->column[e];
    return 0;
}

/* Faults are those of the step. */
static bool are_there(const struct course *c, size_t a, size_t b)
{
    return !course_node_offline(c, a) && !course_node_offline(c, b);
}

static bool hear_each_other(const struct course *c, size_t a, size_t b)
{
    const struct faults *f = c->plan.faults;

    return f == NULL ||
           !(faults_lost(f, c->step, a, b) || faults_lost(f, c->step, b, a));
}

int course_meet_run(struct course *c)
{
    const size_t count = c->plan.alg->one_a_step ? 1 : c->n;
    struct alg_node a, b;
    size_t pair[2] = {0, 0};

    course_node_open(&a, c, 0);
    course_node_open(&b, c, pool_threads(c->plan.pool));
    for (size_t i = 0; course_clock_own_pace(c) && i < c->n; i++)
        course_clock_set_done(c, i);
    for (size_t k = 0; k < count; k++) {
        int code = next_pair(pair, c, c->step * count + k);
        if (code != 0)
            return code;
        const bool there = are_there(c, pair[0], pair[1]);
        if (there || course_clock_own_pace(c)) /* else it would wake for ever */
            course_clock_pass(c, pair[0], pair[1], c->step * count + k);
        if (pair[0] == pair[1] || !there ||
            !hear_each_other(c, pair[0], pair[1]))
            continue;
        course_node_begin(&a, c, pair[0]);
        course_node_begin(&b, c, pair[1]);
        c->plan.alg->meet(&a, &b);
        course_node_end(&a, c);
        course_node_end(&b, c);
        c->vectors += 2;
        c->bytes += 16 * (double)c->d;
    }
    return 0;
}
