/* One event of one member of a world: its step, the effects in order, the
 * checkers, and the crash that a rule asks for between two effects. */

#ifndef SIM_PERFORM_H
#define SIM_PERFORM_H

#include "sim/scene.h"

/* The member may be gone when this returns. */
void perform_step(struct world *world, uint32_t member,
                  const struct gossip_event *event);
/* Runs the member's waiting job, if any, and feeds its answer. */
void perform_work(struct world *world, uint32_t member);

#endif
