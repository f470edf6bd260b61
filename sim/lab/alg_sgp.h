/* Stochastic gradient push. */

#ifndef LAB_ALG_SGP_H
#define LAB_ALG_SGP_H

#include "sim/lab/alg.h"

extern const struct alg alg_sgp_push;

#endif
