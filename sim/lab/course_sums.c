#include "sim/lab/course_sums.h"

#include <string.h>

struct sum {
    struct course *c;
    const struct states *x;
    const double *mean;
    const bool *without; /* rows that do not count */
};

static void sum_blocks(void *context, size_t from, size_t to, size_t thread)
{
    const struct sum *s = context;
    const struct spread *spread = &s->c->spread;
    const size_t d = s->c->d;
    double *room = s->c->scratch + thread * s->c->scratch_size;

    for (size_t b = from; b < to; b++) {
        double *sum = s->c->partial + b * (d + 1);
        if (spread_begins(spread, b))
            memset(sum, 0, (d + 1) * sizeof *sum);
        for (size_t i = spread_first(spread, b); i < spread_last(spread, b);
             i++) {
            if (s->without != NULL && s->without[i])
                continue;
            alg_add(sum, sum, 1, states_read(s->x, i, room), d);
            sum[d] += 1;
        }
    }
}

void course_sums_mean(double *mean, struct course *c, const struct states *x,
                      const bool *without)
{
    const size_t d = c->d, blocks = c->spread.blocks[c->spread.ranks];
    struct sum sum = {c, x, NULL, without};
    double count = 0;

    spread_blocks(&c->spread, c->plan.pool, c->partial, d + 1, sum_blocks,
                  &sum);
    memset(mean, 0, d * sizeof *mean);
    for (size_t b = 0; b < blocks; b++) {
        alg_add(mean, mean, 1, c->partial + b * (d + 1), d);
        count += c->partial[b * (d + 1) + d];
    }
    for (size_t k = 0; k < d; k++)
        mean[k] /= count;
}

static void square_blocks(void *context, size_t from, size_t to, size_t thread)
{
    const struct sum *s = context;
    const struct course *c = s->c;
    const size_t d = c->d;
    const double *best = c->plan.problem->best;
    double *room = c->scratch + thread * c->scratch_size;
    for (size_t b = from; b < to; b++) {
        const bool begins = spread_begins(&c->spread, b);
        double *sums = c->partial + b * (d + 1);
        double cons = begins ? 0 : sums[0], err = begins ? 0 : sums[1];
        for (size_t i = spread_first(&c->spread, b);
             i < spread_last(&c->spread, b); i++) {
            const double *x = states_read(&c->v[0], i, room);
            for (size_t k = 0; k < d && (s->without == NULL || !s->without[i]);
                 k++) {
                double off = x[k] - s->mean[k];
                cons += off * off;
                off = best == NULL ? off : x[k] - best[k];
                err += off * off;
            }
        }
        sums[0] = cons;
        sums[1] = err;
    }
}

void course_sums_squares(double *cons, double *err, struct course *c,
                         const double *mean, const bool *without)
{
    const size_t blocks = c->spread.blocks[c->spread.ranks];
    struct sum sum = {c, &c->v[0], mean, without};

    spread_blocks(&c->spread, c->plan.pool, c->partial, c->d + 1, square_blocks,
                  &sum);
    *cons = *err = 0;
    for (size_t b = 0; b < blocks; b++) {
        *cons += c->partial[b * (c->d + 1)];
        *err += c->partial[b * (c->d + 1) + 1];
    }
}
