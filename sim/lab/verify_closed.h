/* The reference folder's closed forms and states, which are JSON. */

#ifndef LAB_VERIFY_CLOSED_H
#define LAB_VERIFY_CLOSED_H

#include "sim/lab/verify.h"

void verify_closed_facts(struct verify *v);

#endif
