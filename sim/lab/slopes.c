#include "sim/lab/slopes.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "gossip/kernel.h"

enum {
    SMALL = 16,    /* rows of a block: softmax */
    LARGE = 32,    /* perceptron */
    NEAR = 1 << 18 /* floats that stay in a core's own cache */
};

struct block {
    size_t count, inputs, stride;
    const double *z; /* [count, stride]; not of two classes if `single` */
    const uint32_t *label;
    uint32_t *labels; /* [count] of a batch */
    double factor;    /* 1 / rows of the gradient */
    double *rows;     /* scratch: [count, stride] */
    double *more;     /* scratch: the rest */
    bool single;
    const float *x;      /* then: of single precision */
    float *g;            /* then, of a perceptron: [d] */
    const float *narrow; /* then: [count, stride] */
    float *scratch;      /* then: [count, stride] and more */
};

static size_t block_rows(const struct learner *r)
{
    return r->hidden == 0 ? SMALL : LARGE;
}

static bool is_two(const struct learner *r)
{
    return r->hidden == 0 && r->classes == 2;
}

size_t slopes_room(const struct learner *r)
{
    const size_t rows = block_rows(r);

    if (is_two(r))
        return (rows + 2) * r->stride;
    if (r->hidden == 0)
        return rows * (r->stride + r->classes);
    return rows * (2 * r->stride + 3 * r->hidden + 1 + r->classes) +
           learner_size(r);
}

bool slopes_is_deep(const struct learner *r)
{
    return r->hidden > 0 && r->packed != NULL;
}

/* The next rows of a node, all in turn. */
static void take_all(struct block *b, const struct learner *r, size_t first)
{
    const size_t stride = b->stride;

    b->label = r->label + first;
    if (r->z != NULL) {
        b->z = r->z + first * stride;
        return;
    }
    b->z = b->rows;
    b->narrow = r->packed + first * stride;
    if (!b->single)
        kernel_widen(b->rows, b->narrow, b->count * stride);
}

/* A batch, with replacement, of the rows from .. from + rows. */
static void take_batch(struct block *b, const struct learner *r, size_t from,
                       size_t rows, struct chance *chance)
{
    const size_t stride = b->stride;

    b->z = b->rows;
    b->label = b->labels;
    b->narrow = b->scratch;
    for (size_t k = 0; k < b->count; k++) {
        size_t row = from + (size_t)chance_below(chance, rows);
        b->labels[k] = r->label[row];
        if (b->single)
            memcpy(b->scratch + k * stride, r->packed + row * stride,
                   stride * sizeof *b->scratch);
        if (!b->single)
            learner_row(b->rows + k * stride, r, row);
    }
}

static const uint32_t each[SMALL] = {0, 1, 2,  3,  4,  5,  6,  7,
                                     8, 9, 10, 11, 12, 13, 14, 15};

/* Adds to the gradient of the second class, in b->more; the first has the
 * opposite. */
static void add_two(struct block *b, const double *difference)
{
    const size_t stride = b->stride;
    double p[SMALL] = {0}, slope[SMALL];
    float *narrow = (float *)(void *)b->more;

    if (b->single)
        kernel_dots_single(p, b->x, b->narrow, b->count, stride, stride);
    else
        kernel_dots(p, difference, b->z, b->count, stride, stride);
    kernel_logistic(slope, p, SMALL);
    for (size_t k = 0; k < b->count; k++)
        slope[k] = b->factor * (slope[k] - (double)b->label[k]);
    if (b->single)
        kernel_gather_single(narrow, slope, each, b->count, b->narrow, stride,
                             stride);
    else
        kernel_gather(b->more, slope, each, b->count, b->z, stride, stride);
}

/* p[classes] becomes its softmax minus what is right, times factor. */
static void slope_row(double *p, size_t step, size_t classes, uint32_t label,
                      double factor)
{
    double most = -HUGE_VAL, sum = 0;

    for (size_t c = 0; c < classes; c++)
        most = p[c * step] > most ? p[c * step] : most;
    for (size_t c = 0; c < classes; c++)
        sum += p[c * step] = p[c * step] < most ? exp(p[c * step] - most) : 1;
    for (size_t c = 0; c < classes; c++)
        p[c * step] = factor * (p[c * step] / sum - (c == label));
}

static void add_many(double *g, const struct block *b, const double *x,
                     size_t classes)
{
    double *p = b->more; /* [classes, SMALL] */

    for (size_t c = 0; c < classes; c++)
        kernel_dots(p + c * SMALL, x + c * b->inputs, b->z, b->count, b->stride,
                    b->inputs);
    for (size_t k = 0; k < b->count; k++)
        slope_row(p + k, SMALL, classes, b->label[k], b->factor);
    for (size_t c = 0; c < classes; c++)
        kernel_gather(g + c * b->inputs, p + c * SMALL, each, b->count, b->z,
                      b->stride, b->inputs);
}

/* out[m, n] = factor out + a b, each turned or not; size: m, n, k. */
static void times(double *out, size_t out_step, const double *a, size_t a_step,
                  CBLAS_TRANSPOSE turn_a, const double *b, size_t b_step,
                  CBLAS_TRANSPOSE turn_b, const size_t size[3], double factor)
{
    cblas_dgemm(CblasRowMajor, turn_a, turn_b, (int)size[0], (int)size[1],
                (int)size[2], 1, a, (int)a_step, b, (int)b_step, factor, out,
                (int)out_step);
}

/* One hidden layer: five products of matrices. `more`: g has what the blocks
 * before gave, else anything. */
static void add_deep(double *g, const struct block *b, const double *x,
                     const struct learner *r, bool more)
{
    const size_t n = b->count, inputs = b->inputs, hidden = r->hidden;
    const size_t wide = hidden + 1, top = hidden * inputs, cs = r->classes;
    double *h = b->more, *back = h + LARGE * wide, *p = back + LARGE * hidden;

    times(h, wide, b->z, b->stride, CblasNoTrans, x, inputs, CblasTrans,
          (size_t[]){n, hidden, inputs}, 0);
    for (size_t k = 0; k < n; k++) {
        for (size_t u = 0; u < hidden; u++)
            h[k * wide + u] = h[k * wide + u] > 0 ? h[k * wide + u] : 0;
        h[k * wide + hidden] = 1;
    }
    times(p, cs, h, wide, CblasNoTrans, x + top, wide, CblasTrans,
          (size_t[]){n, cs, wide}, 0);
    for (size_t k = 0; k < n; k++)
        slope_row(p + k * cs, 1, cs, b->label[k], b->factor);
    times(back, hidden, p, cs, CblasNoTrans, x + top, wide, CblasNoTrans,
          (size_t[]){n, hidden, cs}, 0);
    for (size_t k = 0; k < n; k++)
        for (size_t u = 0; u < hidden; u++)
            back[k * hidden + u] =
                h[k * wide + u] > 0 ? back[k * hidden + u] : 0;
    times(g + top, wide, p, cs, CblasTrans, h, wide, CblasNoTrans,
          (size_t[]){cs, wide, n}, more);
    times(g, inputs, back, hidden, CblasTrans, b->z, b->stride, CblasNoTrans,
          (size_t[]){hidden, inputs, n}, more);
}

/* out[m, n] = more out + a b, as times(). */
static void times_single(float *out, size_t out_step, const float *a,
                         size_t a_step, CBLAS_TRANSPOSE turn_a, const float *b,
                         size_t b_step, CBLAS_TRANSPOSE turn_b,
                         const size_t size[3], bool more)
{
    cblas_sgemm(CblasRowMajor, turn_a, turn_b, (int)size[0], (int)size[1],
                (int)size[2], 1, a, (int)a_step, b, (int)b_step, more ? 1 : 0,
                out, (int)out_step);
}

/* The slopes of the scores p[count, classes], each row's in double. */
static void slope_rows(float *p, const struct block *b, size_t classes)
{
    double row[LEARNER_CLASSES_MAX];

    for (size_t k = 0; k < b->count; k++) {
        kernel_widen(row, p + k * classes, classes);
        slope_row(row, 1, classes, b->label[k], b->factor);
        kernel_narrow(p + k * classes, row, classes);
    }
}

/* add_deep() of single precision. */
static void add_deep_single(float *g, const struct block *b, const float *x,
                            const struct learner *r, bool more)
{
    const size_t n = b->count, inputs = b->inputs, hidden = r->hidden;
    const size_t wide = hidden + 1, top = hidden * inputs, cs = r->classes;
    float *h = (float *)(void *)b->more, *back = h + LARGE * wide;
    float *p = back + LARGE * hidden;

    times_single(h, wide, b->narrow, b->stride, CblasNoTrans, x, inputs,
                 CblasTrans, (size_t[]){n, hidden, inputs}, false);
    for (size_t k = 0; k < n; k++) {
        for (size_t u = 0; u < hidden; u++)
            h[k * wide + u] = h[k * wide + u] > 0 ? h[k * wide + u] : 0;
        h[k * wide + hidden] = 1;
    }
    times_single(p, cs, h, wide, CblasNoTrans, x + top, wide, CblasTrans,
                 (size_t[]){n, cs, wide}, false);
    slope_rows(p, b, cs);
    times_single(back, hidden, p, cs, CblasNoTrans, x + top, wide, CblasNoTrans,
                 (size_t[]){n, hidden, cs}, false);
    for (size_t k = 0; k < n; k++)
        for (size_t u = 0; u < hidden; u++)
            back[k * hidden + u] =
                h[k * wide + u] > 0 ? back[k * hidden + u] : 0;
    times_single(g + top, wide, p, cs, CblasTrans, h, wide, CblasNoTrans,
                 (size_t[]){cs, wide, n}, more);
    times_single(g, inputs, back, hidden, CblasTrans, b->narrow, b->stride,
                 CblasNoTrans, (size_t[]){hidden, inputs, n}, more);
}

/* Adds up over the blocks of a node's rows. */
static void add_all(double *g, struct block *b, const struct learner *r,
                    size_t i, const double *x, struct chance *chance)
{
    const size_t from = r->start[i], rows = r->start[i + 1] - from;
    const size_t count = r->batch == 0 ? rows : r->batch;

    b->factor = 1 / (double)count;
    for (size_t done = 0; rows > 0 && done < count; done += b->count) {
        b->count = count - done < block_rows(r) ? count - done : block_rows(r);
        if (r->batch == 0)
            take_all(b, r, from + done);
        else
            take_batch(b, r, from, rows, chance);
        if (is_two(r))
            add_two(b, x);
        else if (r->hidden == 0)
            add_many(g, b, x, r->classes);
        else if (b->single)
            add_deep_single(b->g, b, b->x, r, done > 0);
        else
            add_deep(g, b, x, r, done > 0);
    }
}

/* Only the difference of the classes' scores matters. */
static void of_two(double *g, struct block *b, const struct learner *r,
                   size_t i, const double *x, struct chance *chance)
{
    const size_t stride = b->stride, inputs = b->inputs;
    double *sum = b->more, *difference = sum + stride;
    float *narrow = b->scratch + SMALL * stride;

    memset(sum, 0, stride * sizeof *sum);
    memset(difference + inputs, 0, (stride - inputs) * sizeof *sum);
    kernel_sum(difference, x + inputs, -1, x, inputs);
    if (b->single) {
        kernel_narrow(narrow, difference, stride);
        b->x = narrow;
    }
    add_all(g, b, r, i, difference, chance);
    if (b->single) {
        kernel_widen(difference, (const float *)(void *)sum, inputs);
        sum = difference;
    }
    for (size_t k = 0; k < inputs; k++) {
        g[k] = -sum[k];
        g[inputs + k] = sum[k];
    }
}

static struct block begin_block(const struct learner *r, double *room)
{
    const size_t rows = block_rows(r);
    struct block b = {.inputs = r->features + 1, .stride = r->stride};

    b.rows = room;
    b.more = b.rows + rows * r->stride;
    b.scratch = (float *)(void *)room;
    return b;
}

const float *slopes_deep(const struct learner *r, size_t i, const float *x,
                         struct chance *chance, double *room)
{
    const size_t rest = 2 * r->hidden + 1 + r->classes;
    uint32_t labels[LARGE];
    struct block b = begin_block(r, room);

    b.labels = labels;
    b.single = true;
    b.x = x;
    b.g = (float *)(void *)(b.more + LARGE * rest);
    if (r->start[i + 1] == r->start[i])
        memset(b.g, 0, learner_size(r) * sizeof *b.g);
    add_all(NULL, &b, r, i, NULL, chance);
    return b.g;
}

static void in_parts(double *g, const struct learner *r, size_t i,
                     const double *x, struct chance *chance,
                     const struct slopes_way *way)
{
    uint32_t labels[LARGE];
    struct block b = begin_block(r, way->room);

    b.labels = labels;
    if (is_two(r)) {
        b.single = way->single && r->packed != NULL && r->stride % SMALL == 0;
        of_two(g, &b, r, i, x, chance);
        return;
    }
    if (way->single && way->x != NULL && slopes_is_deep(r)) {
        kernel_widen(g, slopes_deep(r, i, way->x, chance, way->room),
                     learner_size(r));
        return;
    }
    if (r->hidden == 0 || r->start[i + 1] == r->start[i])
        memset(g, 0, learner_size(r) * sizeof *g);
    add_all(g, &b, r, i, x, chance);
}

/* Of two classes, whole blocks of packed rows, and all of them. */
static bool in_blocks(const struct learner *r, size_t i)
{
    const size_t rows = r->start[i + 1] - r->start[i];

    return is_two(r) && r->packed != NULL && r->batch == 0 &&
           r->stride % SMALL == 0 && rows > 0 && rows % SMALL == 0;
}

static void of_blocks(double *g, const struct learner *r, size_t i,
                      const double *x, const struct slopes_way *way)
{
    const size_t first = r->start[i], last = r->start[i + 1];
    const size_t all = r->start[r->n];
    const struct kernel_two two = {.inputs = r->features + 1,
                                   .d = r->stride,
                                   .blocks = (last - first) / SMALL,
                                   .rows = r->packed + first * r->stride,
                                   .label = r->label + first,
                                   .factor = 1 / (double)(last - first),
                                   .room = way->room,
                                   .ahead = last + SMALL <= all &&
                                            all * r->stride > NEAR};

    if (way->single)
        kernel_two_single(g, x, &two);
    else
        kernel_two(g, x, &two);
}

void slopes_of(double *g, const struct learner *r, size_t i, const double *x,
               struct chance *chance, const struct slopes_way *way)
{
    if (in_blocks(r, i))
        of_blocks(g, r, i, x, way);
    else
        in_parts(g, r, i, x, chance, way);
    if (r->lambda > 0)
        kernel_add(g, r->lambda, x, learner_size(r));
}
