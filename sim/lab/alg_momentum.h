/* Momentum: DmSGD, DecentLaM, quasi-global. */

#ifndef LAB_ALG_MOMENTUM_H
#define LAB_ALG_MOMENTUM_H

#include "sim/lab/alg.h"

extern const struct alg alg_momentum_dmsgd, alg_momentum_decentlam,
    alg_momentum_qg, alg_momentum_qg_n;

#endif
