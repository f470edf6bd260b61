/* The calling side of one link: a DEALER to a peer's ROUTER, encrypted with
 * CURVE, that is made anew whenever it breaks. */

#ifndef NODE_DIAL_H
#define NODE_DIAL_H

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/x25519.h"

enum {
    DIAL_AGAIN_MS = 50, /* doubles up to */
    DIAL_AGAIN_MAX_MS = 1000,
    DIAL_FAILURES = 3,     /* fewer are what a peer's restart looks like */
    DIAL_SILENCE_MS = 2000 /* the least that a peer may be silent */
};

enum dial_trouble { /* the newest reason why there is no link */
                    DIAL_NO_TROUBLE,
                    DIAL_REFUSED, /* the peer does not know our key */
                    DIAL_BROKEN,  /* something answers, but not with the peer's
                                     key, several times in a row */
                    DIAL_UNKNOWN_HOST
};

struct dial_config {
    const char *endpoint;  /* borrowed */
    const uint8_t *server; /* [X25519_BYTES] the peer's, borrowed */
    const uint8_t *open;   /* [X25519_BYTES] ours, borrowed */
    const uint8_t *secret; /* [X25519_BYTES] ours, borrowed */
    int64_t frame_max;     /* bytes */
    int queue_max;         /* messages */
    int silence_ms;        /* so long without an answer of its kernel to what
                            * waits there the peer is gone */
};

struct dial {
    struct dial_config config;
    void *dealer, *monitor; /* NULL before the first try */
    bool up;
    int fd;       /* of the connection, or -1 */
    bool tried;   /* in this call: the host was resolved */
    int failures; /* of the handshake, in a row */
    enum dial_trouble trouble;
    int64_t due_ms;      /* make it anew then; INT64_MAX: it stands */
    int64_t patience_ms; /* not up by then: make it anew */
    int64_t up_ms;
    int64_t again_ms;
};

void dial_init(struct dial *dial, const struct dial_config *config);
void dial_free(struct dial *dial, int linger_ms);

/* Makes the socket if it is time to. */
void dial_tend(struct dial *dial, int64_t now_ms);
/* When dial_tend has to be called next. */
int64_t dial_wake(const struct dial *dial);
/* Takes what the monitor says; `up` and `trouble` are then up to date. */
void dial_watch(struct dial *dial, int64_t now_ms);
/* Hangs up, and calls again after `ms`. */
void dial_drop(struct dial *dial, int64_t now_ms, int64_t ms);

/* Options that both ends of a link share. */
void dial_options(void *socket, int64_t frame_max, int queue_max,
                  int silence_ms);

#endif
