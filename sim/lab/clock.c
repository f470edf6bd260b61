#include "sim/lab/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/chance.h"
#include "sim/lab/table.h"

const char clock_law_names[] = "constant|exponential|lognormal|pareto";

double clock_compute(const struct clock_laws *c, const struct clock_turn *t,
                     size_t i)
{
    double ms = c->compute == NULL ? c->compute_ms : c->compute[i];
    struct chance chance = chance_of(t->seed, CHANCE_STRAGGLER, i, 0);

    if (c->straggler_share > 0 && chance_real(&chance) < c->straggler_share)
        ms *= c->straggler_factor;
    chance = chance_of(t->seed, CHANCE_COMPUTE, i, t->step);
    switch (c->law) {
    case CLOCK_EXPONENTIAL:
        return -ms * log1p(-chance_real(&chance));
    case CLOCK_LOGNORMAL:
        return ms * exp(chance_normal(&chance) - 0.5);
    case CLOCK_PARETO:
        return ms / 2 / sqrt(1 - chance_real(&chance));
    default:
        return ms;
    }
}

static double latency(const struct clock_laws *c, size_t from, size_t to)
{
    if (c->latency == NULL)
        return c->latency_ms;
    size_t low = 0, high = c->latency->rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const double *row = c->latency->v + 3 * middle;
        if (row[0] < (double)from ||
            (row[0] <= (double)from && row[1] < (double)to))
            low = middle + 1;
        else
            high = middle;
    }
    const double *row = c->latency->v + 3 * low;
    return low < c->latency->rows && row[0] <= (double)from &&
                   row[0] >= (double)from && row[1] <= (double)to &&
                   row[1] >= (double)to
               ? row[2]
               : c->latency_ms;
}

static bool is_link(const struct mixing *m, size_t i, size_t e)
{
    return m->column[e] != i && fpclassify(m->weight[e]) != FP_ZERO;
}

/* How many of j's messages leave before the one to i, that one counted. */
static size_t turn(const struct mixing *m, size_t j, size_t i)
{
    size_t count = 1;

    for (size_t to = 0; to < i; to++) {
        size_t place = mixing_find(m, to, j);
        count += place != SIZE_MAX && is_link(m, to, place);
    }
    return count;
}

static double send_ms(const struct clock_laws *c, const struct clock_turn *t)
{
    const double bytes = c->message_bytes < 0 ? t->bytes : c->message_bytes;

    return c->bytes_per_ms > 0 ? bytes / c->bytes_per_ms : 0;
}

double clock_travel(const struct clock_laws *c, const struct clock_turn *t,
                    size_t from, size_t to)
{
    return latency(c, from, to) + send_ms(c, t);
}

/* How long what j has ready travels to i. */
static double travel(const struct clock_laws *c, const struct clock_turn *t,
                     const struct mixing *m, size_t j, size_t i)
{
    const double sends = c->serial ? (double)turn(m, j, i) : 1;

    return latency(c, j, i) + sends * send_ms(c, t);
}

void clock_round(double *now, double *next, const struct clock_laws *c,
                 const struct clock_turn *t, const struct mixing *m)
{
    double last = 0;

    for (size_t i = 0; t->computes && i < m->n; i++)
        if (t->faults == NULL || !faults_offline(t->faults, t->step, i))
            now[i] += clock_compute(c, t, i); /* ready to send */
    for (size_t i = 0; i < m->n; i++) {
        next[i] = now[i];
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            if (is_link(m, i, e))
                next[i] = fmax(next[i], now[m->column[e]] +
                                            travel(c, t, m, m->column[e], i));
        last = fmax(last, next[i]);
    }
    for (size_t i = 0; i < m->n; i++)
        now[i] = c->barrier == CLOCK_GLOBAL ? last : next[i];
}
