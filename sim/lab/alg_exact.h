/* Exact first-order methods: EXTRA, D2, NIDS. */

#ifndef LAB_ALG_EXACT_H
#define LAB_ALG_EXACT_H

#include "sim/lab/alg.h"

extern const struct alg alg_exact_extra, alg_exact_d2, alg_exact_nids;

#endif
