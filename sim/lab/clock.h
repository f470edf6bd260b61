/* Virtual time of the nodes, round by round: max-plus recursions over who
 * waits for whom. Reference: README.md, "Virtual clock". */

#ifndef LAB_CLOCK_H
#define LAB_CLOCK_H

#include <stdbool.h>

#include "gossip/mixing.h"
#include "sim/lab/table.h"

enum clock_barrier { CLOCK_GLOBAL, CLOCK_NEIGHBOURHOOD, CLOCK_NONE };

struct clock_laws {
    bool on;
    enum clock_barrier barrier;
    bool serial;     /* a node sends to one neighbour after the other */
    double *compute; /* [n] ms, or NULL: compute_ms for all */
    double compute_ms;
    struct table *latency; /* from,to,ms sorted, or NULL: latency_ms for all */
    double latency_ms;
    double send_ms; /* one message's bytes on the wire */
};

/* now[n] becomes the time after the round in which messages go along `mixing`
 * (sparse rows). next[n]: scratch. */
void clock_round(double *now, double *next, const struct clock_laws *laws,
                 const struct mixing *mixing);

#endif
