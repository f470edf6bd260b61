/* Corrected local steps: SCAFFOLD, K-GT, LT-ADMM. */

#ifndef LAB_ALG_LOCAL_H
#define LAB_ALG_LOCAL_H

#include "sim/lab/alg.h"

extern const struct alg alg_local_scaffold, alg_local_kgt, alg_local_ltadmm;

#endif
