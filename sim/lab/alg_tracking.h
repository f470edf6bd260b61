/* Gradient tracking: DIGing, Aug-DGM, AB, Push-Pull, momentum tracking. */

#ifndef LAB_ALG_TRACKING_H
#define LAB_ALG_TRACKING_H

#include "sim/lab/alg.h"

extern const struct alg alg_tracking_cta, alg_tracking_momentum,
    alg_tracking_ab, alg_tracking_atc, alg_tracking_push_pull;

#endif
