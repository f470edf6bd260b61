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
    enum faults_rule rule;
    const struct table *wake;       /* tick,i,j sorted, or NULL: drawn */
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
/* All that a step needs of those before it, as pieces of memory to be saved or
 * put back; as many and as large for every course of one plan. Of all processes
 * (shard.h). */
enum course_share {
    COURSE_ALL,   /* the same in every process */
    COURSE_ROWS,  /* each has those of its rows */
    COURSE_FIRST, /* process 0 has it */
};
struct course_piece {
    void *at;
    size_t size;
    enum course_share share;
    const size_t *first; /* row i is from first[i] units on, or, NULL, unit i */
    size_t unit;         /* bytes */
};
enum { COURSE_PIECES_MAX = 24 };
size_t course_pieces(struct course_piece pieces[COURSE_PIECES_MAX],
                     struct course *course);
/* The part of a piece by rows that a process has: its size, and *at. 0 for a
 * process beyond those that share the rows. */
size_t course_part(void **at, const struct course_piece *piece,
                   const struct course *course, size_t rank);
/* Row i of what is measured, [d]; of single precision a copy, valid until the
 * next call. */
const double *course_state(const struct course *course, size_t i);
size_t course_rows(const struct course *course);
/* Vector v of node i, for tests: v[1] of gradient tracking. */
const double *course_vector(const struct course *course, size_t v, size_t i);

#endif
