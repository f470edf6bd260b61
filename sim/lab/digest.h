/* BLAKE2b of an experiment and of all the files that it names. */

#ifndef LAB_DIGEST_H
#define LAB_DIGEST_H

#include "sim/lab/experiment.h"

enum { DIGEST_BYTES = 32 };

/* Returns false if it cannot be read: a text that is no file. */
bool digest_file(unsigned char hash[DIGEST_BYTES], const char *path);
/* With the program's version, so that another one does not resume. */
void digest_experiment(unsigned char hash[DIGEST_BYTES],
                       const struct experiment *experiment);

#endif
