/* The inputs of the reference set, written as experiment files from the
 * formulas of its README, so that everything in it is computed the way that a
 * researcher would. */

#ifndef LAB_RIG_H
#define LAB_RIG_H

#include <stdio.h>

#include "sim/lab/lab.h"

enum { RIG_PATH_SIZE = 512 };

struct rig {
    char folder[RIG_PATH_SIZE]; /* made by rig_open, removed by rig_close */
    size_t threads;
};

int rig_open(struct rig *rig, size_t threads, struct error *error);
void rig_close(struct rig *rig);

/* folder/name, for the next call's use. */
const char *rig_path(const struct rig *rig, const char *name);
FILE *rig_create(const struct rig *rig, const char *name);

/* x_i(0) = ((37 i^2 + 11 i + 5) mod 101) / 101 */
double rig_start(size_t i);
/* x{n}.csv */
void rig_starts(const struct rig *rig, size_t n);

/* Runs the text as an experiment; NULL, and a line on stderr, if it fails. */
struct lab *rig_run(const struct rig *rig, const char *text,
                    const struct lab_options *options);
/* The same with printf's arguments and no options. */
struct lab *rig_runf(const struct rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The experiments whose trajectories are in the reference folder, as text; the
 * labels are the columns' names. */
extern const char rig_quadratic[], rig_logistic[], rig_choco[];

#endif
