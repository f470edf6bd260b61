/* Eigenvalues of circulant matrices in closed form, at any size: of W with
 * W_{i, i + o} = w_o they are sum_o w_o exp(2 pi i k o / n), k = 0..n-1.
 * Davis, "Circulant Matrices", 1979. */

#ifndef LAB_CIRCULANT_H
#define LAB_CIRCULANT_H

#include "sim/lab/spectrum.h"

/* Whether W is one: stored so, or sparse rows that are all the first one
 * shifted, with at most MIXING_OFFSETS_MAX entries. */
bool circulant_is(const struct mixing *mixing);
/* For such a W with n > 1. Time n times the entries of a row. Cannot fail. */
void circulant_spectrum(struct spectrum *spectrum, const struct mixing *mixing);

#endif
