/* How a world ended, in words. */

#ifndef SIM_OUTCOME_H
#define SIM_OUTCOME_H

#include "sim/scene.h"

/* Fills world->reason, unless it is known, if the run has no result in the
 * eyes of those who are not gone for good. */
void outcome_conclude(struct world *world);

#endif
