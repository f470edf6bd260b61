/* The patients of the demonstration, dealt to five sites of unequal size and
 * case mix: the Wisconsin diagnostic breast cancer table (Street, Wolberg,
 * Mangasarian, 1993) in the form that scikit-learn ships, or a made-up cohort.
 * Always dealt in the same way. */

#ifndef SIM_PATIENTS_H
#define SIM_PATIENTS_H

#include <stddef.h>

#include "model/error.h"

enum { PATIENTS_SITES = 5 };

extern const char *const patients_names[PATIENTS_SITES];

struct patients {
    size_t rows[PATIENTS_SITES], cases[PATIENTS_SITES];
    size_t features;
};

/* Writes columns site, set (every fifth row of a site: test), the features,
 * y (1: malignant). `from`: "rows,columns,malignant,benign", then the rows with
 * the class as last column, 0 for malignant. */
int patients_read(struct patients *patients, const char *to, const char *from,
                  struct error *error);

/* The same columns from a law of our own. */
int patients_make(struct patients *patients, const char *to,
                  struct error *error);

#endif
