/* An experiment from file to rows, as `starling sim converge` and the tests
 * run it. */

#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "sim/lab/sheet.h"

struct lab; /* opaque: a finished experiment */

struct lab_options {
    size_t threads;            /* 0: all */
    bool lines;                /* on stderr: what a person wants to know */
    bool progress;             /* there too, on a terminal: how far it is */
    uint64_t checkpoint_every; /* steps within a run; 0: by time */
    const char *out; /* where finished runs are kept meanwhile, or NULL */
    /* After every measured step, for whoever wants the states themselves. */
    void (*watch)(void *context, const char *label,
                  const struct course_row *row, const struct course *course);
    void *context;
};

/* Returns 0 or a negative errno with one line. */
int lab_run(struct lab **lab, const char *path,
            const struct lab_options *options, struct error *error);
void lab_free(struct lab *lab);
const struct sheet *lab_sheet(const struct lab *lab);
/* All is written: what was kept of single runs goes. */
void lab_finish(struct lab *lab);
/* rows[row_count] of an entry with the seed of that place; NULL if there is
 * none of that label. */
const struct course_row *lab_rows(const struct lab *lab, const char *label,
                                  size_t seed);

#endif
