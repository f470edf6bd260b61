#define _DEFAULT_SOURCE /* NOLINT: madvise */
#include "sim/lab/states.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gossip/kernel.h"

enum {
    LINE = 64,
    LONG = 256, /* bytes of a row that is worth a line of its own */
    LARGE_PAGE = 1 << 21,
    FAR = 1 << 18,
    NEAR = 1 << 19, /* bytes that stay in a core's own cache */

    PART_LEAST = 1 << 12, /* bytes of a long row that are read in one go */
    SLICED = 8 * LINE,    /* bytes of a row that is worth slices */
    SLICE_LEAST = 2 * LINE,
    APART_LEAST = 1 << 21, /* bytes of all rows */
    APART_MOST = 1 << 15   /* rows */
};

static size_t size_of(const struct states *s)
{
    return s->single ? sizeof(float) : sizeof(double);
}

static void *reserve(size_t size)
{
    const bool large = size >= 2 * (size_t)LARGE_PAGE;
    const size_t unit = large ? LARGE_PAGE : LINE;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size / unit + 1) * unit;
    void *p = aligned_alloc(unit, size);
    if (p == NULL)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (large)
        (void)madvise(p, size, MADV_HUGEPAGE);
#endif
    return p;
}

void *states_room(size_t size)
{
    void *p = reserve(size);

    return p == NULL ? NULL : memset(p, 0, size);
}

size_t states_width(size_t d, bool single)
{
    const size_t size = single ? sizeof(float) : sizeof(double);
    const size_t in_line = LINE / size;

    return d * size < LONG ? d : (d + in_line - 1) / in_line * in_line;
}

/* Of a core's own cache, as far as that is known. */
static size_t cache_size(void)
{
    long size = 0;

#ifdef _SC_LEVEL2_CACHE_SIZE
    size = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return size < NEAR ? NEAR : (size_t)size;
}

static size_t slice_of(size_t n, size_t row)
{
    const size_t cache = cache_size();
    const size_t slice = cache / 2 / n / LINE * LINE;

    if (row < SLICED || n * row < cache || n * SLICE_LEAST > 2 * cache)
        return row;
    return slice < SLICE_LEAST ? SLICE_LEAST : slice;
}

/* Bytes of every row that are mixed before the next: those of all rows shall
 * lie in a core's own cache, since rows are read in no order. */
static size_t part_of(size_t n, size_t row)
{
    const size_t part = NEAR / n;

    if (row <= 2 * (size_t)PART_LEAST)
        return slice_of(n, row);
    return part < PART_LEAST ? PART_LEAST : part / LINE * LINE;
}

/* Sliced rows of an even number of lines would all lie in the same few sets of
 * the cache. Where they are kept apart does not depend on the machine: rows go
 * from one to another, and into files. */
static void lay_out(struct states *s, size_t n, size_t d, bool single)
{
    const size_t size = single ? sizeof(float) : sizeof(double);
    const size_t width = states_width(d, single), row = width * size;
    const bool sliced = row >= SLICED && row <= 2 * (size_t)PART_LEAST &&
                        n <= APART_MOST && n * row >= APART_LEAST;
    const bool even = sliced && row / LINE % 2 == 0;

    *s = (struct states){.n = n,
                         .d = d,
                         .width = width,
                         .stride = width + (even ? LINE / size : 0),
                         .part = part_of(n, row) / size,
                         .single = single};
}

size_t states_bytes(size_t n, size_t d, bool single)
{
    struct states s;

    lay_out(&s, n, d, single);
    return n * s.stride * (single ? sizeof(float) : sizeof(double));
}

int states_new(struct states *s, size_t n, size_t d, bool single)
{
    return states_part(s, n, d, single, 0, n);
}

int states_part(struct states *s, size_t n, size_t d, bool single, size_t from,
                size_t to)
{
    lay_out(s, n, d, single);
    const size_t row = s->stride * size_of(s);
    s->x = reserve(n * row);
    if (s->x == NULL)
        return -ENOMEM;
    memset((char *)s->x + from * row, 0, (to - from) * row);
    return 0;
}

void states_free(struct states *s)
{
    free(s->x);
    s->x = NULL;
}

void *states_row(const struct states *s, size_t i)
{
    return s->single ? (void *)((float *)s->x + i * s->stride)
                     : (void *)((double *)s->x + i * s->stride);
}

size_t states_row_size(const struct states *s)
{
    return s->stride * size_of(s);
}

const double *states_read(const struct states *s, size_t i, double *room)
{
    if (!s->single)
        return states_row(s, i);
    kernel_widen(room, states_row(s, i), s->d);
    return room;
}

void states_write(struct states *s, size_t i, const double *x)
{
    if (s->single)
        kernel_narrow(states_row(s, i), x, s->d);
    else if (x != states_row(s, i))
        memcpy(states_row(s, i), x, s->d * sizeof *x);
}

static void mix_part(struct states *out, const struct mixing *m,
                     const struct states *x, size_t i, size_t first,
                     size_t count)
{
    const size_t skip = first * size_of(x);

    mixing_columns((char *)states_row(out, i) + skip, m, i,
                   (const char *)x->x + skip, x->stride, count, x->single);
}

bool states_far(const struct states *x)
{
    return x->n * x->width * size_of(x) > FAR;
}

bool states_sliced(const struct states *x)
{
    return x->part < x->width;
}

void states_mix(struct states *out, const struct mixing *m,
                const struct states *x, size_t from, size_t to)
{
    const size_t part = x->part;

    for (size_t k = 0; k < x->width; k += part)
        for (size_t i = from; i < to; i++) {
            mix_part(out, m, x, i, k,
                     x->width - k < part ? x->width - k : part);
        }
}
