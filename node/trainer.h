/* The thread on which a member computes, so that its links are served all the
 * while. */

#ifndef NODE_TRAINER_H
#define NODE_TRAINER_H

#include <czmq.h>

#include "node/member.h"

struct trainer; /* opaque */

/* NULL: out of memory. The member is borrowed. */
struct trainer *trainer_new(struct member *member);
/* Waits for the job under way. */
void trainer_free(struct trainer *trainer);

/* Begins the member's next job, if it has one and none is under way. */
void trainer_start(struct trainer *trainer);

/* The socket that can be read when a job is done; then take the event, which
 * lives until the next trainer_start. */
void *trainer_socket(struct trainer *trainer);
const struct gossip_event *trainer_take(struct trainer *trainer);

#endif
