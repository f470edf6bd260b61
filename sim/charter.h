/* The study file that goes to every node of a local cluster: the original with
 * all its settings, but without what is the simulation's (data, rows, network,
 * seed) and with an address and a key for every site. */

#ifndef SIM_CHARTER_H
#define SIM_CHARTER_H

#include "model/error.h"
#include "node/study.h"

struct charter_site {
    char address[64]; /* tcp://127.0.0.1:port */
    struct identity_public key;
};

/* sites[study->site_count] in roster order. `study` is resolved: its features
 * are written out, as a node's own file need not show the same columns. */
int charter_write(const char *to, const struct study *study,
                  const struct charter_site *sites, struct error *error);

#endif
