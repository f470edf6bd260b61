/* From an experiment to runs: data, matrices, schedules, and the refusal of
 * what is outside an algorithm's range. */

#ifndef LAB_PLAN_H
#define LAB_PLAN_H

#include "sim/lab/course.h"
#include "sim/lab/experiment.h"
#include "sim/lab/spectrum.h"

struct plan {
    const struct experiment *experiment;
    size_t n;
    struct problem problem;
    struct faults faults;
    struct table wake;
    struct table latency;
    double *compute; /* [n] or NULL */
    struct clock_laws clock;
    struct pool *pool;
};

/* threads 0: all. The experiment is borrowed. */
int plan_open(struct plan **plan, const struct experiment *experiment,
              size_t threads, struct error *error);
void plan_close(struct plan *plan);

struct plan_run { /* one entry with one seed */
    struct course_plan course;
    struct table placement;
    struct spectrum spectrum; /* of the first matrix */
    bool has_spectrum;
    char note[256]; /* a warning, or "" */
};

int plan_run(struct plan_run *run, struct plan *plan,
             const struct experiment_entry *entry, uint64_t seed,
             struct error *error);
void plan_run_free(struct plan_run *run);

#endif
