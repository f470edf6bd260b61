/* Facts 9 to 16, 27 and 28: averaging, on bad networks too. */

#ifndef LAB_VERIFY_AVERAGE_H
#define LAB_VERIFY_AVERAGE_H

#include "sim/lab/verify.h"

void verify_average_facts(struct verify *v);

#endif
