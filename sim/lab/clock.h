/* Virtual time of the nodes, round by round: max-plus recursions over who
 * waits for whom. Reference: README.md, "Virtual clock".
 */

#ifndef LAB_CLOCK_H
#define LAB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "gossip/mixing.h"
#include "sim/lab/faults.h"
#include "sim/lab/table.h"

enum clock_barrier { CLOCK_GLOBAL, CLOCK_NEIGHBOURHOOD, CLOCK_NONE };

enum clock_law { /* of computing times; the mean is what is given */
                 CLOCK_CONSTANT,
                 CLOCK_EXPONENTIAL,
                 CLOCK_LOGNORMAL, /* sigma 1 */
                 CLOCK_PARETO     /* shape 2 */
};

extern const char clock_law_names[]; /* in this order, parted by '|' */

struct clock_laws {
    bool on;
    enum clock_barrier barrier;
    enum clock_law law;
    bool serial;     /* a node sends to one neighbour after the other */
    double *compute; /* [n] ms, or NULL: compute_ms for all */
    double compute_ms;
    double straggler_share;  /* of the nodes, drawn once, */
    double straggler_factor; /* take so many times as long */
    struct table *latency; /* from,to,ms sorted, or NULL: latency_ms for all */
    double latency_ms;
    double bytes_per_ms;  /* 0: bytes take no time */
    double message_bytes; /* below 0: what the algorithm sends */
};

struct clock_turn { /* one exchange of a step */
    uint64_t seed, step;
    double bytes;                /* that the algorithm sends along a link */
    bool computes;               /* the first exchange of a step */
    const struct faults *faults; /* or NULL */
};

/* now[n] becomes the time after the exchange in which messages go along
 * `mixing` (sparse rows). Who is offline does not compute: its clock stands,
 * but for a global barrier, which it passes with all. next[n]: scratch. */
void clock_round(double *now, double *next, const struct clock_laws *laws,
                 const struct clock_turn *turn, const struct mixing *mixing);

/* How long node i computes in this step. */
double clock_compute(const struct clock_laws *laws,
                     const struct clock_turn *turn, size_t i);
/* How long a message is under way. */
double clock_travel(const struct clock_laws *laws,
                    const struct clock_turn *turn, size_t from, size_t to);

#endif
