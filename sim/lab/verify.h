/* `starling sim verify [DIR]`: known facts, recomputed, as a table of fact,
 * expected, got, pass. */

#ifndef LAB_VERIFY_H
#define LAB_VERIFY_H

#include <jansson.h>
#include <stdio.h>

#include "sim/lab/rig.h"

struct verify {
    struct rig rig;
    const char *dir; /* the reference folder, or NULL */
    FILE *out;
    bool failures_only;
    bool quick; /* leave out what takes seconds */
    size_t passed, failed, skipped;
};

/* argv[0] is "verify". Returns the exit status. */
int verify_main(int argc, char **argv);

/* One line each. `fact`: "12" or a file's name. Within `allowed`. */
void verify_near(struct verify *v, const char *fact, const char *what,
                 double expected, double got, double allowed);
/* Within `digits` significant digits of a number as it was published. */
void verify_digits(struct verify *v, const char *fact, const char *what,
                   double expected, double got, int digits);
/* Errors through their square roots: 1e-10 max(1, root). */
void verify_error(struct verify *v, const char *fact, const char *what,
                  double expected, double got);
void verify_holds(struct verify *v, const char *fact, const char *what,
                  bool holds);
/* What could not be compared at all. */
void verify_fail(struct verify *v, const char *fact, const char *why);
/* What was not asked for. */
void verify_skip(struct verify *v, const char *fact, const char *why);

/* A JSON file of the folder, owned; NULL, and a failed fact, if it is none. */
json_t *verify_json(struct verify *v, const char *file);
/* NAN if the key holds no number. */
double verify_number(const json_t *object, const char *key);

/* The larger of two; what is not a number is worse than any. */
double verify_worst(double a, double b);
/* Of a square's sum: NAN of NAN, 0 below 0. */
double verify_root(double x);

/* The last row's measure of an entry, as rows[steps]. NAN if lab is NULL. */
const struct course_row *verify_row(const struct lab *lab, const char *label,
                                    size_t row);

#endif
