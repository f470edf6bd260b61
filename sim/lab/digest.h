/* BLAKE2b of an experiment and of all the files that it names. */

#ifndef LAB_DIGEST_H
#define LAB_DIGEST_H

#include "sim/lab/experiment.h"

enum { DIGEST_BYTES = 32 };

/* Returns 1; 0 for a text that is no file; -EIO for one that cannot be read to
 * its end. */
int digest_file(unsigned char hash[DIGEST_BYTES], const char *path,
                struct error *error);
/* With the program's version, so that another one does not resume. */
int digest_experiment(unsigned char hash[DIGEST_BYTES],
                      const struct experiment *experiment, struct error *error);

#endif
