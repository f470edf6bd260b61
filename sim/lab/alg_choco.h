/* Compressed messages: CHOCO, DeepSqueeze, BEER. */

#ifndef LAB_ALG_CHOCO_H
#define LAB_ALG_CHOCO_H

#include "sim/lab/alg.h"

extern const struct alg alg_choco_gossip, alg_choco_sgd, alg_choco_deepsqueeze,
    alg_choco_beer;

#endif
