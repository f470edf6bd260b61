/* One algorithm's run: states of all nodes as matrices [n, d], step by step,
 * the same for any number of threads. */

#ifndef LAB_COURSE_H
#define LAB_COURSE_H

#include "sim/lab/alg.h"
#include "sim/lab/clock.h"
#include "sim/lab/faults.h"
#include "sim/lab/pool.h"
#include "sim/lab/problem.h"
#include "sim/lab/sequence.h"

struct course_plan {
    const struct alg *alg;
    struct alg_setting setting;
    const struct problem *problem;
    struct sequence *mixes, *columns; /* columns NULL: the same */
    const struct faults *faults;      /* or NULL */
    enum faults_rule rules[2];        /* of mixes, of columns */
    const struct table *wake;         /* tick,i,j sorted, or NULL: drawn */
    const struct table *placement;  /* step,token,node sorted, or NULL: drawn */
    const struct clock_laws *clock; /* or NULL */
    struct pool *pool;
    bool single; /* states of single precision; each node computes in double */
};

/* What is recorded before the first step and after each. */
struct course_row {
    uint64_t step;
    double err, cons, gap, mean; /* FORMATS.md, section 2 */
    double mse;                  /* consensus: to the mean at the start */
    double mass, least, most;    /* push-sum: sum, extremes of the weights */
    double sum;                  /* push-sum: of the first coordinate of x */
    double vectors, bytes, gradients; /* sent, taken by all nodes so far */
    double clock_min, clock_max, clock_mean;
};

struct course; /* opaque */

int course_new(struct course **course, const struct course_plan *plan,
               struct error *error);
void course_free(struct course *course);
/* Of the nodes' states and messages, before they are there. */
double course_bytes(const struct course_plan *plan);

void course_measure(struct course_row *row, struct course *course);
/* Returns 0, -ENOMEM, -EINVAL (a schedule that ends) with an error. */
int course_step(struct course *course, struct error *error);
/* At least one step and at most `most`, as many as are best done at once. */
int course_advance(size_t *done, struct course *course, size_t most,
                   struct error *error);
/* Row i of what is measured, [d]; of single precision a copy, valid until the
 * next call. */
const double *course_state(const struct course *course, size_t i);
size_t course_rows(const struct course *course);
/* Vector v of node i, for tests: v[1] of gradient tracking. */
const double *course_vector(const struct course *course, size_t v, size_t i);

#endif
