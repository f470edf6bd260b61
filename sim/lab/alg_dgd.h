/* Decentralised gradient descent in both orders, with local steps, on changing
 * graphs, and what averages exactly: FedAvg and FedProx. */

#ifndef LAB_ALG_DGD_H
#define LAB_ALG_DGD_H

#include "sim/lab/alg.h"

extern const struct alg alg_dgd_cta, alg_dgd_atc, alg_dgd_local,
    alg_dgd_epidemic, alg_dgd_teleportation, alg_dgd_fedavg, alg_dgd_fedprox;

#endif
