/* Facts 1 to 8: spectra and finite-time sequences. */

#ifndef LAB_VERIFY_GRAPHS_H
#define LAB_VERIFY_GRAPHS_H

#include "sim/lab/verify.h"

void verify_graphs_facts(struct verify *v);

#endif
