/* Several sites in one process: tasks driven directly through task_ops, sums
 * through crypto/fixed.h's lanes, without masks or messages. */

#ifndef TESTS_COHORT_H
#define TESTS_COHORT_H

#include <assert.h>
#include <math.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/fixed.h"
#include "model/dataset.h"
#include "model/newton.h"
#include "model/task.h"

enum { COHORT_SITES = 8, COHORT_ROUNDS = 400 };

struct cohort {
    struct task_spec spec;
    const struct task_ops *ops;
    struct dataset *data[COHORT_SITES];
    struct task *task[COHORT_SITES];
    void *memory[COHORT_SITES];
    struct prg prg;
    bool unrounded; /* sums of doubles instead of lanes */
    uint32_t count;
    uint32_t absent; /* bitmap: sites that the sum goes without */
    void *state;
    size_t rounds;
    char phases[COHORT_ROUNDS][12];
    double losses[COHORT_ROUNDS]; /* after each sum */
    struct error error;
    struct task_report report;
};

static inline struct task_spec cohort_spec(const char *kind, double l2)
{
    return (struct task_spec){.kind = (char *)kind,
                              .method = "newton",
                              .target = "y",
                              .l2 = l2,
                              .tolerance = 1e-9,
                              .rounds_max = 50,
                              .members = 4,
                              .fraction_bits = 32};
}

/* A data set of `rows` rows in memory; x[rows, columns] and y are copied. */
static inline struct dataset *cohort_data(const double *x, const double *y,
                                          const uint8_t *test, size_t rows,
                                          size_t columns)
{
    struct dataset *d = calloc(1, sizeof *d);
    d->path = strdup("memory.csv");
    d->row_count = rows;
    d->column_count = columns;
    d->names = calloc(columns + 1, sizeof *d->names);
    for (size_t j = 0; j < columns; j++) {
        char name[24];
        snprintf(name, sizeof name, "x%zu", j + 1);
        d->names[j] = strdup(name);
    }
    d->x = malloc((rows * columns + 1) * sizeof *x);
    d->y = malloc((rows + 1) * sizeof *y);
    d->test = calloc(rows + 1, 1);
    memcpy(d->x, x, rows * columns * sizeof *x);
    memcpy(d->y, y, rows * sizeof *y);
    if (test != NULL)
        memcpy(d->test, test, rows);
    return d;
}

/* Deals rows i to site i % count. */
static inline void cohort_deal(struct cohort *c, uint32_t count,
                               const double *x, const double *y, size_t rows,
                               size_t columns)
{
    double *part = malloc((rows * columns + 1) * sizeof *part);
    double *target = malloc((rows + 1) * sizeof *target);
    c->count = count;
    for (uint32_t s = 0; s < count; s++) {
        size_t n = 0;
        for (size_t i = s; i < rows; i += count, n++) {
            memcpy(part + n * columns, x + i * columns, columns * sizeof *part);
            target[n] = y[i];
        }
        c->data[s] = cohort_data(part, target, NULL, n, columns);
    }
    free(part);
    free(target);
}

static inline void cohort_open(struct cohort *c)
{
    c->spec.members = c->count;
    c->ops = task_find(&c->spec, &c->error);
    assert_non_null(c->ops);
    for (uint32_t s = 0; s < c->count; s++) {
        int code = c->ops->open(&c->task[s], &c->spec, c->data[s], &c->error);
        if (code != 0)
            fail_msg("%s", c->error.text);
    }
    for (uint32_t s = 0; s < c->count; s++)
        c->memory[s] = calloc(1, c->ops->memory_size(c->task[s]) + 1);
    prg_seed(&c->prg, (const uint8_t[PRG_SEED_BYTES]){1});
    c->state = malloc(c->ops->state_size(c->task[0]));
    c->ops->start(c->task[0], c->state);
}

/* One opened sum. Returns false when the task has finished. */
static inline bool cohort_round(struct cohort *c)
{
    const struct task_ops *ops = c->ops;
    struct fixed_shape shape = ops->shape(c->task[0], c->state);
    size_t at;
    if (shape.length == 0)
        return false;
    assert_true(shape.length <= ops->length_max(c->task[0]));
    assert_true(fixed_fits(&shape, c->count));
    double *x = malloc(shape.length * sizeof *x);
    double *plain = calloc(shape.length, sizeof *plain);
    uint64_t *lanes = malloc(shape.length * sizeof *lanes);
    uint64_t *sum = calloc(shape.length, sizeof *sum);
    uint32_t members = 0;
    for (uint32_t s = 0; s < c->count; s++) {
        if (c->absent >> s & 1)
            continue;
        members++;
        int code = ops->contribute(c->task[s], x, c->memory[s], c->state,
                                   &c->prg, &c->error);
        if (code != 0)
            fail_msg("%s", c->error.text);
        assert_int_equal(fixed_encode(lanes, x, &shape, &at), 0);
        for (size_t i = 0; i < shape.length; i++) {
            sum[i] += lanes[i];
            plain[i] += x[i];
        }
    }
    assert_int_equal(fixed_decode(x, sum, members, &shape, &at), 0);
    if (c->unrounded)
        memcpy(x, plain, shape.length * sizeof *x);
    free(plain);
    snprintf(c->phases[c->rounds], sizeof c->phases[0], "%s",
             ops->phase(c->task[0], c->state));
    struct task_sum opened = {.values = x,
                              .survivors =
                                  ((UINT64_C(1) << c->count) - 1) & ~c->absent,
                              .members = members};
    ops->absorb(c->task[0], c->state, c->state, &opened);
    c->losses[c->rounds++] = ops->loss(c->task[0], c->state);
    assert_true(c->rounds < COHORT_ROUNDS);
    free(x);
    free(lanes);
    free(sum);
    return true;
}

static inline double cohort_slot(const struct cohort *c, enum newton_slot slot)
{
    double value;
    memcpy(&value, (char *)c->state + (size_t)slot * sizeof value,
           sizeof value);
    return value;
}

static inline void cohort_report(struct cohort *c, uint32_t site)
{
    task_report_free(&c->report);
    int code = c->ops->report(c->task[site], c->state, &c->report, &c->error);
    if (code != 0)
        fail_msg("%s", c->error.text);
}

static inline void cohort_run(struct cohort *c)
{
    cohort_open(c);
    while (cohort_round(c))
        ;
    cohort_report(c, 0);
}

static inline void cohort_close(struct cohort *c)
{
    for (uint32_t s = 0; s < c->count; s++) {
        c->ops->close(c->task[s]);
        free(c->memory[s]);
        dataset_free(c->data[s]);
    }
    task_report_free(&c->report);
    free(c->state);
}

/* A small generator, the same for ever (splitmix64). */
static inline uint64_t cohort_next(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Uniform in [-1, 1). */
static inline double cohort_uniform(uint64_t *seed)
{
    return (double)(cohort_next(seed) >> 11) / 4503599627370496.0 - 1;
}

#define assert_near(a, b, epsilon)                                             \
    do {                                                                       \
        double near_a = (a), near_b = (b);                                     \
        if (!(fabs(near_a - near_b) <= (epsilon)))                             \
            fail_msg("%s = %.15g, expected %.15g within %g", #a, near_a,       \
                     near_b, (double)(epsilon));                               \
    } while (0)

#endif
