/* What befalls the members of a world, drawn from its seed. */

#ifndef SIM_ORDEAL_H
#define SIM_ORDEAL_H

#include "sim/world.h"

struct ordeal {
    bool chaos;     /* bad network, crashes, partitions: sim/chaos.h */
    bool churn;     /* members that come and go: sim/churn.h */
    bool byzantine; /* members that lie: sim/adversary.h; t honest ones stay */
    bool losses;    /* a member that loses its store: sim/amnesia.h */
};

/* Into a config with its study and seed. Returns whether every member that is
 * lost comes back. */
bool ordeal_draw(struct world_config *config, const struct ordeal *ordeal);

#endif
