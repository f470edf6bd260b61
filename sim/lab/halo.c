#include "sim/lab/halo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void mark(bool *needed, size_t from, size_t to, size_t j)
{
    if (j >= from && j < to)
        needed[j - from] = true;
}

/* needed[to - from]: rows from .. to that rows begin .. end hear. */
static void mark_all(bool *needed, size_t from, size_t to,
                     const struct mixing *m, const struct halo_links *l,
                     size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        if (m->kind == MIXING_SPARSE)
            for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
                mark(needed, from, to, m->column[e]);
        if (m->kind == MIXING_CIRCULANT)
            for (size_t k = 0; k < m->offset_count; k++)
                mark(needed, from, to, (i + m->offset[k]) % m->n);
        if (l->first != NULL)
            for (size_t e = l->first[i]; e < l->first[i + 1]; e++)
                mark(needed, from, to, l->neighbour[e]);
    }
}

/* Appends what is needed of rows from .. to. */
static bool append(uint32_t **rows, size_t *count, const bool *needed,
                   size_t from, size_t to)
{
    size_t more = 0;

    for (size_t j = 0; j < to - from; j++)
        more += needed[j];
    uint32_t *all = realloc(*rows, (*count + more + 1) * sizeof *all);
    if (all == NULL)
        return false;
    *rows = all;
    for (size_t j = 0; j < to - from; j++)
        if (needed[j])
            all[(*count)++] = (uint32_t)(from + j);
    return true;
}

int halo_of(struct halo *h, const struct mixing *m, const struct halo_links *l,
            const size_t *start, size_t ranks, size_t rank)
{
    const size_t own = start[rank], end = start[rank + 1];
    bool *needed = malloc(m->n + 1), fine = needed != NULL;
    size_t got = 0, given = 0;

    *h = (struct halo){.ranks = ranks};
    h->get = calloc(ranks + 1, sizeof *h->get);
    h->give = calloc(ranks + 1, sizeof *h->give);
    fine = fine && h->get != NULL && h->give != NULL;
    if (fine) {
        memset(needed, 0, m->n);
        mark_all(needed, 0, m->n, m, l, own, end);
    }
    for (size_t r = 0; fine && r < ranks; r++) {
        if (r != rank)
            fine = append(&h->got, &got, needed + start[r], start[r],
                          start[r + 1]);
        h->get[r + 1] = got;
    }
    for (size_t r = 0; fine && r < ranks; r++) {
        memset(needed, 0, end - own);
        if (r != rank) {
            mark_all(needed, own, end, m, l, start[r], start[r + 1]);
            fine = append(&h->given, &given, needed, own, end);
        }
        h->give[r + 1] = given;
    }
    free(needed);
    if (!fine)
        halo_free(h);
    return fine ? 0 : -ENOMEM;
}

void halo_free(struct halo *h)
{
    free(h->get);
    free(h->give);
    free(h->got);
    free(h->given);
    *h = (struct halo){0};
}
