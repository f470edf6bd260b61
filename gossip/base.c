#include "gossip/base.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FACTORS_MAX = 64 };

/* The nodes first, first + stride, ...: all that the construction needs. */
struct span {
    size_t first, stride, count;
};

struct round {
    struct mixing_entry *entries;
    size_t count, room;
    bool failed;
};

struct digits { /* n = sum a[l] b^p[l], p falling */
    size_t count;
    size_t a[FACTORS_MAX], power[FACTORS_MAX]; /* power: b^p */
};

static size_t node(struct span v, size_t place)
{
    assert(place < v.count);
    return v.first + place * v.stride;
}

static struct span part(struct span v, size_t from, size_t count)
{
    return (struct span){v.first + from * v.stride, v.stride, count};
}

static void put(struct round *r, size_t i, size_t j, double weight)
{
    if (r->count == r->room && !r->failed) {
        size_t room = r->room == 0 ? 256 : 2 * r->room;
        void *more = realloc(r->entries, room * sizeof *r->entries);
        r->failed = more == NULL;
        if (more != NULL) {
            r->entries = more;
            r->room = room;
        }
    }
    if (!r->failed)
        r->entries[r->count++] =
            (struct mixing_entry){(uint32_t)i, (uint32_t)j, weight};
}

/* The factors of n, ascending; 0 of them if n is not (k+1)-smooth. */
static size_t factor(size_t factors[FACTORS_MAX], size_t n, size_t k)
{
    size_t count = 0;

    for (size_t f = k + 1; f >= 2; f--)
        for (; n % f == 0; n /= f)
            factors[count++] = f;
    for (size_t i = 0; i < count / 2; i++) {
        size_t kept = factors[i];
        factors[i] = factors[count - 1 - i];
        factors[count - 1 - i] = kept;
    }
    return n == 1 ? count : 0;
}

static size_t hyper_length(size_t n, size_t k)
{
    size_t factors[FACTORS_MAX];

    return n == 1 ? 1 : factor(factors, n, k);
}

/* Round `l`, taken cyclically, of the k-peer hyper-hypercube graph on v. */
static void hyper(struct round *r, struct span v, size_t k, size_t l)
{
    size_t factors[FACTORS_MAX], stride = 1;
    size_t count = factor(factors, v.count, k);

    if (v.count == 1)
        return;
    assert(count > 0);
    l %= count;
    for (size_t i = 0; i < l; i++)
        stride *= factors[i];
    const size_t size = factors[l], block = stride * size;
    for (size_t i = 0; i < v.count; i++)
        for (size_t u = 0; u < size; u++)
            put(r, node(v, i),
                node(v, i / block * block + i % stride + u * stride),
                1 / (double)size);
}

static struct digits digits_of(size_t n, size_t b)
{
    struct digits d = {0};
    size_t power = 1;

    while (power <= n / b)
        power *= b;
    for (; power > 0; power /= b) {
        if (n / power > 0) {
            d.a[d.count] = n / power;
            d.power[d.count++] = power;
        }
        n %= power;
    }
    return d;
}

static size_t digit_size(const struct digits *d, size_t l)
{
    return d->a[l] * d->power[l];
}

static size_t simple_length(size_t n, size_t k)
{
    if (hyper_length(n, k) > 0)
        return hyper_length(n, k);
    struct digits d = digits_of(n, k + 1);
    return hyper_length(digit_size(&d, 0), k) + 1 + hyper_length(d.power[0], k);
}

/* Where the i-th of those lies that are left over, `left` in each piece. */
static size_t left_over(size_t i, size_t left, size_t piece)
{
    assert(left > 0);
    return i / left * piece + i % left;
}

/* Nodes of block t that nobody asks for form cliques of k + 1. */
static void cliques(struct round *r, struct span v, size_t pieces,
                    size_t used_of_piece, size_t b)
{
    assert(pieces > 0);
    const size_t piece = v.count / pieces, left = piece - used_of_piece;
    const size_t count = pieces * left;

    for (size_t i = 0; i < count; i++) {
        size_t from = i / b * b, to = from + b < count ? from + b : count;
        for (size_t j = from; j < to; j++)
            put(r, node(v, left_over(i, left, piece)),
                node(v, left_over(j, left, piece)), 1 / (double)(to - from));
    }
}

/* Every block after block t takes from each of its pieces. */
static void exchange(struct round *r, struct span v, const struct digits *d,
                     size_t t, size_t b)
{
    size_t from = 0, later = 0, used = 0, at = v.count;

    for (size_t l = 0; l < t; l++)
        from += digit_size(d, l);
    const size_t size = digit_size(d, t), pieces = d->a[t];
    const struct span block = part(v, from, size);
    for (size_t l = t; l < d->count; l++)
        later += digit_size(d, l);
    const double w = (double)size / (double)later / (double)pieces;
    for (size_t l = d->count; l-- > t + 1;) {
        at -= digit_size(d, l);
        for (size_t x = 0; x < digit_size(d, l); x++, used++) {
            size_t i = node(v, at + x);
            for (size_t p = 0; p < pieces; p++) {
                size_t j = node(block, (p + 1) * d->power[t] - 1 - used);
                put(r, i, j, w);
                put(r, j, i, w);
                put(r, j, j, 1 - w);
            }
            put(r, i, i, 1 - (double)pieces * w);
        }
    }
    cliques(r, block, pieces, used, b);
}

/* Round t of Simple Base-(k+1) on v, 0 <= t < its length. */
static void simple_round(struct round *r, struct span v, size_t k, size_t t)
{
    if (hyper_length(v.count, k) > 0) {
        hyper(r, v, k, t);
        return;
    }
    const size_t b = k + 1;
    const struct digits d = digits_of(v.count, b);
    const size_t opening = hyper_length(digit_size(&d, 0), k);
    size_t from = 0;
    for (size_t l = 0; l < d.count; l++) {
        const struct span block = part(v, from, digit_size(&d, l));
        size_t own = l + 1 < d.count ? l + 1 : l; /* exchanges before step 3 */
        from += block.count;
        if (t < opening)
            hyper(r, block, k, t);
        else if (t - opening < own)
            continue; /* waits for, or is in, its exchange */
        else if (block.count < b)
            hyper(r, block, k, t - opening - own);
        else
            for (size_t p = 0; p < d.a[l]; p++)
                hyper(r, part(block, p * d.power[l], d.power[l]), k,
                      t - opening - own);
    }
    if (t >= opening && t - opening + 1 < d.count)
        exchange(r, v, &d, t - opening, b);
}

static size_t smooth_part(size_t n, size_t k)
{
    size_t p = 1;

    for (size_t f = k + 1; f >= 2; f--)
        for (; n % f == 0; n /= f)
            p *= f;
    return p;
}

size_t base_length(size_t n, size_t k, bool simple)
{
    const size_t p = smooth_part(n, k);
    const size_t whole = simple_length(n, k);
    const size_t split = simple_length(n / p, k) + hyper_length(p, k);

    return simple || whole < split ? whole : split;
}

static void fill_round(struct round *r, size_t n, size_t k, size_t t,
                       bool simple)
{
    const size_t p = smooth_part(n, k), q = n / p;
    const size_t inner = simple_length(q, k);

    if (simple || simple_length(n, k) < inner + hyper_length(p, k)) {
        simple_round(r, (struct span){0, 1, n}, k, t);
        return;
    }
    if (t < inner)
        for (size_t u = 0; u < p; u++)
            simple_round(r, (struct span){u * q, 1, q}, k, t);
    else
        for (size_t j = 0; j < q; j++)
            hyper(r, (struct span){j, q, p}, k, t - inner);
}

/* Nodes without a partner keep what they have. */
static struct mixing *finish(struct round *r, size_t n)
{
    bool *busy = calloc(n, sizeof *busy);

    for (size_t e = 0; busy != NULL && e < r->count; e++)
        busy[r->entries[e].row] = true;
    for (size_t i = 0; busy != NULL && i < n; i++)
        if (!busy[i])
            put(r, i, i, 1);
    struct mixing *m =
        busy == NULL || r->failed ? NULL : mixing_of(r->entries, r->count, n);
    free(busy);
    return m;
}

int base_rounds(struct mixing ***rounds, size_t *count, size_t n, size_t k,
                bool simple)
{
    assert(n >= 1 && k >= 1 && k < n + 1);
    const size_t length = base_length(n, k, simple);

    *count = 0;
    *rounds = calloc(length, sizeof **rounds);
    for (size_t t = 0; *rounds != NULL && t < length; t++) {
        struct round r = {0};
        fill_round(&r, n, k, t, simple);
        (*rounds)[t] = finish(&r, n);
        free(r.entries);
        if ((*rounds)[t] == NULL)
            break;
        ++*count;
    }
    if (*count == length)
        return 0;
    for (size_t t = 0; t < *count; t++)
        mixing_free((*rounds)[t]);
    free(*rounds);
    *rounds = NULL;
    return -ENOMEM;
}
