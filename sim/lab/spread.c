#include "sim/lab/spread.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/lab/shard.h"

struct spread_kept {
    const struct mixing *mixing;
    struct halo halo;
};

/* Whole blocks each, if there are enough: else sums wait for one another. */
static size_t boundary(size_t n, size_t r, size_t ranks)
{
    const size_t blocks = n / SPREAD_BLOCK;

    if (r == ranks)
        return n;
    return blocks < 2 * ranks ? n * r / ranks
                              : blocks * r / ranks * SPREAD_BLOCK;
}

int spread_new(struct spread *s, size_t n, bool alone)
{
    const size_t ranks = alone ? 1 : shard_count();
    const size_t rank = alone ? 0 : shard_rank();

    *s = (struct spread){.n = n, .ranks = ranks};
    s->start = calloc(ranks + 1, sizeof *s->start);
    s->blocks = calloc(ranks + 1, sizeof *s->blocks);
    if (s->start == NULL || s->blocks == NULL)
        return -ENOMEM;
    for (size_t r = 0; r <= ranks; r++) {
        s->start[r] = boundary(n, r, ranks);
        s->blocks[r] = s->start[r] / SPREAD_BLOCK;
    }
    s->blocks[ranks] = (n + SPREAD_BLOCK - 1) / SPREAD_BLOCK;
    s->from = s->start[rank];
    s->to = s->start[rank + 1];
    return 0;
}

void spread_free(struct spread *s)
{
    for (size_t k = 0; k < s->kept_count; k++)
        halo_free(&s->kept[k].halo);
    halo_free(&s->passing);
    free(s->kept);
    free(s->start);
    free(s->blocks);
}

struct shifted {
    size_t by;
    void (*work)(void *context, size_t from, size_t to, size_t thread);
    void *context;
};

static void shift(void *context, size_t from, size_t to, size_t thread)
{
    const struct shifted *s = context;

    s->work(s->context, from + s->by, to + s->by, thread);
}

void spread_rows(const struct spread *s, struct pool *pool, size_t grain,
                 void (*work)(void *context, size_t from, size_t to,
                              size_t thread),
                 void *context)
{
    struct shifted shifted = {s->from, work, context};

    pool_run(pool, s->to - s->from, grain, shift, &shifted);
}

bool spread_begins(const struct spread *s, size_t b)
{
    return s->from <= b * SPREAD_BLOCK;
}

size_t spread_first(const struct spread *s, size_t b)
{
    return spread_begins(s, b) ? b * SPREAD_BLOCK : s->from;
}

size_t spread_last(const struct spread *s, size_t b)
{
    return s->to < (b + 1) * SPREAD_BLOCK ? s->to : (b + 1) * SPREAD_BLOCK;
}

void spread_blocks(const struct spread *s, struct pool *pool, double *partial,
                   size_t width,
                   void (*work)(void *context, size_t from, size_t to,
                                size_t thread),
                   void *context)
{
    const size_t first = s->from / SPREAD_BLOCK;
    const size_t end = (s->to + SPREAD_BLOCK - 1) / SPREAD_BLOCK;
    struct shifted shifted = {first, work, context};

    if (s->from % SPREAD_BLOCK != 0)
        shard_before(partial + first * width, width);
    if (s->to > s->from)
        pool_run(pool, end - first, 1, shift, &shifted);
    if (s->to % SPREAD_BLOCK != 0 && s->to < s->n)
        shard_next(partial + s->to / SPREAD_BLOCK * width, width);
    if (s->ranks > 1)
        shard_share(partial, s->blocks, width);
}

const struct halo *spread_halo(struct spread *s, const struct mixing *m,
                               const struct halo_links *links, bool fixed)
{
    if (s->ranks == 1)
        return NULL;
    for (size_t k = 0; fixed && k < s->kept_count; k++)
        if (s->kept[k].mixing == m)
            return &s->kept[k].halo;
    struct halo *halo = &s->passing;
    if (fixed) {
        struct spread_kept *more =
            realloc(s->kept, (s->kept_count + 1) * sizeof *more);
        if (more == NULL)
            shard_stop("out of memory");
        s->kept = more;
        more[s->kept_count] = (struct spread_kept){.mixing = m};
        halo = &more[s->kept_count++].halo;
    }
    halo_free(halo);
    if (halo_of(halo, m, links, s->start, s->ranks, shard_rank()) != 0)
        shard_stop("out of memory");
    return halo;
}
