#include "sim/lab/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/table.h"

static double compute(const struct clock_laws *c, size_t i)
{
    return c->compute == NULL ? c->compute_ms : c->compute[i];
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

/* When what j sends to i arrives, j having begun the round at `start`. */
static double arrival(const struct clock_laws *c, const struct mixing *m,
                      size_t j, size_t i, double start)
{
    double sends = c->serial ? (double)turn(m, j, i) : 1;

    return start + compute(c, j) + latency(c, j, i) + sends * c->send_ms;
}

void clock_round(double *now, double *next, const struct clock_laws *c,
                 const struct mixing *m)
{
    double last = 0;

    for (size_t i = 0; i < m->n; i++) {
        next[i] = now[i] + compute(c, i);
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            if (is_link(m, i, e) && c->barrier != CLOCK_NONE)
                next[i] = fmax(
                    next[i], arrival(c, m, m->column[e], i, now[m->column[e]]));
        last = fmax(last, next[i]);
    }
    for (size_t i = 0; i < m->n; i++)
        now[i] = c->barrier == CLOCK_GLOBAL ? last : next[i];
}
