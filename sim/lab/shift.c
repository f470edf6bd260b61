#include "sim/lab/shift.h"

#include <string.h>

#include "gossip/kernel.h"

enum {
    RING = 1 << 19, /* bytes that stay in a core's own cache */
    AHEAD = 8,      /* rows */
    LINE = 64
};

/* Rows from .. to of a cycle. */
struct stretch {
    size_t cycle, from, to;
};

bool shift_is(const struct mixing *m)
{
    return m->kind == MIXING_CIRCULANT && m->offset_count == 2 &&
           m->offset[0] == 0 && m->offset[1] > 0 && m->offset[1] < m->n;
}

static size_t row_size(const struct states *x)
{
    return x->width * (x->single ? sizeof(float) : sizeof(double));
}

static size_t span_most(const struct states *x)
{
    const size_t rows = RING / row_size(x);

    return rows < 2 ? 1 : rows < 1024 ? rows - 1 : 1023;
}

/* A power of two above span_most(). */
static size_t ring_rows(const struct states *x)
{
    size_t rows = 1;

    while (rows <= span_most(x))
        rows *= 2;
    return rows;
}

/* The rows behind its first stretch, behind its last, behind a whole cycle; and
 * the ring. */
size_t shift_room(const struct states *x)
{
    const size_t size = (3 * span_most(x) + ring_rows(x)) * row_size(x);

    return (size / LINE + 1) * LINE;
}

static size_t common(size_t a, size_t b)
{
    while (b > 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void shift_plan(struct shift *s, struct states *x,
                const struct mixing *const *mixings, size_t most)
{
    s->x = x;
    s->by = mixings[0]->offset[1];
    s->length = x->n / common(x->n, s->by);
    s->count = 0;
    s->span = 0;
    for (size_t r = 0; r < most && r < SHIFT_ROUNDS_MAX; r++) {
        if (!shift_is(mixings[r]) || mixings[r]->offset[1] % s->by != 0)
            return;
        const size_t step = mixings[r]->offset[1] / s->by;
        if (r > 0 && s->span + step > span_most(x))
            return;
        s->step[r] = step;
        s->share[r] = mixings[r]->share;
        s->span += step;
        s->count++;
    }
}

static char *halo_of(const struct shift *s, size_t thread, size_t which)
{
    return s->room + thread * shift_room(s->x) +
           which * span_most(s->x) * row_size(s->x);
}

/* The stretch that begins at `from`, and whether it is a whole cycle. */
static bool next_stretch(struct stretch *t, const struct shift *s, size_t from,
                         size_t to)
{
    const size_t left = s->length - from % s->length;

    t->cycle = from / s->length;
    t->from = from % s->length;
    t->to = t->from + (to - from < left ? to - from : left);
    return t->to - t->from == s->length;
}

static size_t row_at(const struct shift *s, size_t cycle, size_t place)
{
    return (cycle + place % s->length * s->by) % s->x->n;
}

static size_t next_row(const struct shift *s, size_t row)
{
    return row + s->by < s->x->n ? row + s->by : row + s->by - s->x->n;
}

static void save_halo(const struct shift *s, char *halo,
                      const struct stretch *t)
{
    const size_t size = row_size(s->x);
    size_t row = row_at(s, t->cycle, t->to);

    for (size_t k = 0; k < s->span; k++, row = next_row(s, row))
        memcpy(halo + k * size, states_row(s->x, row), size);
}

void shift_save(const struct shift *s, size_t from, size_t to, size_t thread)
{
    struct stretch t;

    for (size_t at = from; at < to; at += t.to - t.from)
        if (!next_stretch(&t, s, at, to))
            save_halo(s, halo_of(s, thread, at != from), &t);
}

static void pair(const struct shift *s, void *out, const void *x,
                 const double share[2], const void *y)
{
    if (s->x->single)
        kernel_pair_single(out, x, share, y, s->x->width);
    else
        kernel_pair(out, x, share, y, s->x->width);
}

static void fetch(const struct shift *s, size_t row)
{
    const char *at = states_row(s->x, row);

    for (size_t k = 0; k < row_size(s->x); k += LINE)
        __builtin_prefetch(at + k, 1);
}

/* One row after the other comes in, and every matrix follows the one before as
 * soon as it can: rows between the first and the last are in the ring. */
static void pass_stretch(const struct shift *s, const struct stretch *t,
                         const char *halo, char *ring)
{
    const size_t size = row_size(s->x), mask = ring_rows(s->x) - 1;
    size_t in = row_at(s, t->cycle, t->from), out = in;
    size_t ahead = row_at(s, t->cycle, t->from + AHEAD);
    const void *before = NULL;

    for (size_t p = t->from; p < t->to + s->span; p++) {
        const void *now = p < t->to ? (const void *)states_row(s->x, in)
                                    : halo + (p - t->to) * size;
        size_t place = p;
        fetch(s, ahead);
        for (size_t r = 0; r < s->count && place >= t->from + s->step[r]; r++) {
            place -= s->step[r];
            char *own = ring + (place & mask) * size;
            const char *other = ring + ((place + s->step[r]) & mask) * size;
            const bool last = r + 1 == s->count;
            pair(s, last ? states_row(s->x, out) : own, r == 0 ? before : own,
                 s->share[r], r == 0 ? now : other);
            out = last ? next_row(s, out) : out;
        }
        before = now;
        in = next_row(s, in);
        ahead = next_row(s, ahead);
    }
}

void shift_pass(const struct shift *s, size_t from, size_t to, size_t thread)
{
    char *ring = halo_of(s, thread, 3);
    struct stretch t;

    for (size_t at = from; at < to; at += t.to - t.from) {
        const bool whole = next_stretch(&t, s, at, to);
        char *halo = halo_of(s, thread, whole ? 2 : at != from);
        if (whole)
            save_halo(s, halo, &t);
        pass_stretch(s, &t, halo, ring);
    }
}
