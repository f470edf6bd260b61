/* A member that loses its store, drawn from a seed: one in a study, as one is
 * always borne (PROTOCOL.md, section 5). */

#ifndef SIM_AMNESIA_H
#define SIM_AMNESIA_H

#include "sim/world.h"

/* Last of all, into a config with its crashes and liars; what was drawn before
 * stays as it is. Nothing where all must sign (t = g): there a lost store ends
 * the study's life. */
void amnesia_draw(struct world_config *config);

#endif
