/* RelaySGD, on trees. */

#ifndef LAB_ALG_RELAY_H
#define LAB_ALG_RELAY_H

#include "sim/lab/alg.h"

extern const struct alg alg_relay_sgd;

#endif
