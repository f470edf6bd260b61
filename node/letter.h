/* One message of a link as libzmq gives it: frames, and what the connection
 * says about them. */

#ifndef NODE_LETTER_H
#define NODE_LETTER_H

#include <czmq.h>
#include <stddef.h>
#include <stdint.h>

struct letter {
    zframe_t *id; /* a ROUTER's: where an answer goes; or NULL */
    zframe_t *study, *head, *body;
    size_t count; /* of frames beside the id, however many came */
    size_t size;  /* bytes that they took on the line */
};

/* The next one of a socket, in the place of what was there before. False: there
 * is none. */
bool letter_take(struct letter *letter, void *socket, bool has_id);
void letter_free(struct letter *letter);

/* The place of the key that zap.h let in with its connection, if that is below
 * `members`; else -1. */
int letter_sender(const struct letter *letter, uint32_t members);
/* Its connection's file descriptor, or -1. */
int letter_fd(const struct letter *letter);

#endif
