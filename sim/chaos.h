/* A bad day, drawn from a seed: latency, loss, duplication, crashes that
 * mostly return, partitions that end. */

#ifndef SIM_CHAOS_H
#define SIM_CHAOS_H

#include <stdbool.h>

#include "sim/world.h"

/* Replaces the laws, crashes and partitions of `config` by drawn ones. Returns
 * true if every member that crashes returns. */
bool chaos_draw(struct world_config *config);

#endif
