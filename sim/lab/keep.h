/* Finished runs of an experiment that is not finished: a file each, so that
 * after a crash only what was under way is computed again. */

#ifndef LAB_KEEP_H
#define LAB_KEEP_H

#include "sim/lab/course.h"
#include "sim/lab/digest.h"
#include "sim/lab/spectrum.h"

struct keep {
    char folder[4096]; /* "": nothing is kept */
    unsigned char hash[DIGEST_BYTES];
    int lock; /* the folder's, while it is ours */
};

/* OUT/.runs; out NULL: nothing is kept. -EBUSY: another run has it. */
int keep_open(struct keep *keep, const char *out,
              const struct experiment *experiment, struct error *error);
/* Whether run `index` of this very experiment is there, with `count` rows. */
bool keep_load(const struct keep *keep, size_t index, struct course_row *rows,
               size_t count, struct spectrum *spectrum, bool *has_spectrum);
int keep_save(const struct keep *keep, size_t index,
              const struct course_row *rows, size_t count,
              const struct spectrum *spectrum, bool has_spectrum,
              struct error *error);

/* FOLDER/INDEX and `end`. */
enum { KEEP_PATH_SIZE = 4200 };
void keep_path(char path[KEEP_PATH_SIZE], const struct keep *keep, size_t index,
               const char *end);
/* The folder goes if nothing is in it. */
void keep_close(struct keep *keep);
/* The experiment is finished: removes what was kept. */
void keep_clear(struct keep *keep);

#endif
