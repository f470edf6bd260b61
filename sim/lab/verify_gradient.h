/* Facts 17 to 25: gradient methods. */

#ifndef LAB_VERIFY_GRADIENT_H
#define LAB_VERIFY_GRADIENT_H

#include "sim/lab/verify.h"

void verify_gradient_facts(struct verify *v);

#endif
