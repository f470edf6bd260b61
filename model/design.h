/* A site's rows as a regression sees them: standardised with the public means
 * and SDs, missing values at the mean, an intercept in front, training rows
 * first. Private to the site. */

#ifndef MODEL_DESIGN_H
#define MODEL_DESIGN_H

#include <stddef.h>

#include "model/dataset.h"

struct design {
    double *x; /* [train + test, width] */
    double *y; /* [train + test] standardised too, for regression */
    size_t train, test;
    size_t width;  /* 1 + features */
    double *scale; /* [2 * width] the means and SDs it was made with; those of
                      the intercept's place are y's */
};

/* scale[2 * width]: means, then SDs. Returns NULL if memory is short. */
struct design *design_new(const struct dataset *data, const double *scale);
void design_free(struct design *design);

#endif
