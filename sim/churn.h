/* Members that come and go, drawn from a seed: many crashes, at the steps that
 * matter, most of which return after a while. */

#ifndef SIM_CHURN_H
#define SIM_CHURN_H

#include <stdbool.h>

#include "sim/world.h"

/* Adds to the crashes of `config`. Returns true if everybody returns. */
bool churn_draw(struct world_config *config);

#endif
