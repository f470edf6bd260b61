/* Made-up rows dealt to a few sites that train by rounds, and plain gradient
 * descent on all of them. */

#ifndef TESTS_ROUNDS_H
#define TESTS_ROUNDS_H

#include "model/cohort.h"

enum { ROWS = 120, COLUMNS = 3, SITES = 4 };

static double rows_x[ROWS * COLUMNS], rows_y[ROWS];

/* Noisy classes 0..count - 1 by a plane. */
static inline void make_rows(int count)
{
    uint64_t seed = 5;

    for (size_t i = 0; i < ROWS; i++) {
        double *x = rows_x + i * COLUMNS, z = 0;
        for (size_t j = 0; j < COLUMNS; j++)
            x[j] = 3 * cohort_uniform(&seed) + (double)j;
        z = x[0] - x[1] + 0.5 * x[2] + cohort_uniform(&seed);
        double at = fmin(fmax((z + 3) / 6, 0), 0.999);
        rows_y[i] = floor(at * count);
    }
}

static inline struct cohort cohort_of(const char *kind, const char *method,
                                      uint32_t rounds)
{
    struct cohort c = {.spec = cohort_spec(kind, 0)};

    c.spec.method = (char *)method;
    c.spec.rounds_max = rounds + 3;
    c.spec.step = 0.2;
    c.spec.training =
        (struct task_training){.classes = 2,
                               .local_steps = 1,
                               .server_step = 1,
                               .decay = 1,
                               .mu = 0.5,
                               .hidden = {6},
                               .hidden_count = 1,
                               .precision = TASK_PRECISION_DOUBLE};
    return c;
}

static inline void deal(struct cohort *c)
{
    cohort_deal(c, SITES, rows_x, rows_y, ROWS, COLUMNS);
}

/* Sites of 64, 32, 16 and 8 rows, of which the first have more ones. */
static inline void deal_unlike(struct cohort *c)
{
    static double x[ROWS * COLUMNS], y[ROWS];
    size_t last = ROWS, first = 0, at = 0;

    for (size_t i = 0; i < ROWS; i++) {
        const size_t to = rows_y[i] > 0 ? first++ : --last;
        memcpy(x + to * COLUMNS, rows_x + i * COLUMNS, COLUMNS * sizeof *x);
        y[to] = rows_y[i];
    }
    c->count = SITES;
    for (uint32_t s = 0; s < SITES; s++) {
        const size_t rows = (size_t)64 >> s;
        c->data[s] = cohort_data(x + at * COLUMNS, y + at, NULL, rows, COLUMNS);
        at += rows;
    }
    assert_int_equal(at, ROWS);
}

/* The first `count` rows of each site to its test rows. */
static inline void set_tests(struct cohort *c, size_t count)
{
    for (uint32_t s = 0; s < c->count; s++)
        memset(c->data[s]->test, 1, count);
}

static inline void standardise(double *z)
{
    for (size_t j = 0; j < COLUMNS; j++) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < ROWS; i++)
            mean += rows_x[i * COLUMNS + j] / ROWS;
        for (size_t i = 0; i < ROWS; i++)
            squares += pow(rows_x[i * COLUMNS + j] - mean, 2);
        for (size_t i = 0; i < ROWS; i++)
            z[i * COLUMNS + j] =
                (rows_x[i * COLUMNS + j] - mean) / sqrt(squares / (ROWS - 1));
    }
}

/* Plain gradient descent on all rows, written out. */
static inline void descend(double *beta, int steps, double step, double l2)
{
    static double z[ROWS * COLUMNS];

    standardise(z);
    memset(beta, 0, (1 + COLUMNS) * sizeof *beta);
    for (int s = 0; s < steps; s++) {
        double g[1 + COLUMNS] = {0};
        for (size_t i = 0; i < ROWS; i++) {
            double eta = beta[0];
            for (size_t j = 0; j < COLUMNS; j++)
                eta += beta[j + 1] * z[i * COLUMNS + j];
            double r = 1 / (1 + exp(-eta)) - rows_y[i];
            g[0] += r / ROWS;
            for (size_t j = 0; j < COLUMNS; j++)
                g[j + 1] += r * z[i * COLUMNS + j] / ROWS;
        }
        for (size_t j = 0; j <= COLUMNS; j++)
            beta[j] -= step * (g[j] + (j == 0 ? 0 : l2 / ROWS * beta[j]));
    }
}

static inline void run(struct cohort *c)
{
    make_rows(2);
    deal(c);
    cohort_run(c);
    assert_string_equal(c->report.failure, "");
}

#endif
