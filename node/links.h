/* With which sites one site talks: those of its own pod, and those of the pods
 * that it hears or that hear it. In the order of the study, so that both ends
 * of a link agree on who calls whom. */

#ifndef NODE_LINKS_H
#define NODE_LINKS_H

#include "gossip/mix.h"
#include "model/error.h"
#include "node/study.h"

enum { LINKS_MAX = 200 }; /* each takes a few file descriptors */

struct link {
    uint32_t site;        /* in the whole study */
    uint32_t pod, member; /* of that site; pod 0 where there are none */
    bool fellow;          /* of the same pod */
};

struct links {
    uint32_t count, self; /* places in `of` */
    struct link of[LINKS_MAX];
};

/* view: of the pod (node/pods.h), or a study without pods; self: the member.
 * Returns 0 or a negative errno: -E2BIG, and the error says how many. */
int links_find(struct links *links, const struct study *view, uint32_t self,
               struct error *error);
/* The place of a member, or -1: there is no link with it. */
int links_place(const struct links *links, uint32_t pod, uint32_t member);

#endif
