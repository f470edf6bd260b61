/* A testing aid: a file with the head of every message that this node sent, in
 * all its lives, each written before the message is. Text, appended to:
 *
 *     life PID                               a process begins
 *     NANOSECONDS TO BODY_SIZE HEAD          CLOCK_MONOTONIC, the head in hex
 *
 * TO is a member: of this site's own pod, or, where the head is one between
 * pods (gossip/mixwire.h), of any.
 *
 * After kill -9 the line before "life" may be cut off: that message was not
 * sent. A head is what goes over the wire; no secret is in it. */

#ifndef NODE_TAPE_H
#define NODE_TAPE_H

#include <stddef.h>
#include <stdint.h>

#include "model/error.h"

struct tape; /* opaque */

int tape_open(struct tape **tape, const char *path, struct error *error);
void tape_close(struct tape *tape); /* NULL is fine */
int tape_sent(struct tape *tape, uint32_t to, const uint8_t *head,
              size_t head_size, size_t body_size, struct error *error);

#endif
