/* Facts 11, 14, 15, 26 and 29: what holds on average, by Monte Carlo. */

#ifndef LAB_VERIFY_CHANCE_H
#define LAB_VERIFY_CHANCE_H

#include "sim/lab/verify.h"

void verify_chance_facts(struct verify *v);

#endif
