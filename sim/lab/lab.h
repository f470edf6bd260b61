/* An experiment from file to rows, as `starling sim converge` and the tests
 * run it. */

#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "sim/lab/sheet.h"

struct lab; /* opaque: a finished experiment */

/* threads 0: all. progress: lines on stderr. Returns 0 or a negative errno with
 * one line. */
int lab_run(struct lab **lab, const char *path, size_t threads, bool progress,
            struct error *error);
void lab_free(struct lab *lab);
const struct sheet *lab_sheet(const struct lab *lab);

#endif
