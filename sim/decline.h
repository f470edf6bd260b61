/* Why a site of a local cluster cannot contribute, as far as its nodes say. */

#ifndef SIM_DECLINE_H
#define SIM_DECLINE_H

#include "sim/fleet.h"

struct decline {      /* zero at the start */
    struct error why; /* "": nobody declined */
    bool own;         /* in the words of the site itself */
};

/* An event "declined" of a node that runs in the folder `out`. */
void decline_hear(struct decline *decline, const struct fleet_event *event,
                  const struct study *study, const char *out);

#endif
