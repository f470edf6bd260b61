/* Pairs that meet: AD-PSGD. */

#ifndef LAB_ALG_MEET_H
#define LAB_ALG_MEET_H

#include "sim/lab/alg.h"

extern const struct alg alg_meet_adpsgd;

#endif
