/* The links of one node: encrypted (CURVE, RFC 26), one for each pair of
 * members, carrying both directions.
 *
 * Every node listens at its address (ROUTER); of a pair, the member that stands
 * first in the roster calls the other (DEALER). A message is three frames:
 *     [study name, head, body]
 * and an empty head is the caller's first word, by which the other side learns
 * where to answer. Who sent a message is never read from the message: on the
 * listening side it is the User-Id that zap.h gave the connection, on the
 * calling side the peer has proven its key.
 *
 * One thread owns a transport. Nothing blocks; what cannot be sent is dropped,
 * and the engine says it again.
 */

#ifndef NODE_TRANSPORT_H
#define NODE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/x25519.h"
#include "model/error.h"

enum { TRANSPORT_TEXT_SIZE = 512 };

struct transport_site {
    const char *name, *address; /* "tcp://host:port" */
    uint8_t link[X25519_BYTES]; /* its public CURVE key */
};

struct transport_config {
    uint32_t self, members;
    const struct transport_site *sites; /* [members], copied */
    uint8_t link_secret[X25519_BYTES];  /* ours */
    const char *study;                  /* its name: what messages are for */
    size_t head_max, body_max;          /* bytes; longer ones drop the peer */
    /* A peer is gone whose machine answers TCP nothing for so long, or whose
     * process takes nothing of what waits for it; at least DIAL_SILENCE_MS. A
     * process that stands still while nothing is sent to it is the engine's to
     * notice. */
    int silence_ms;
};

enum transport_event_kind {
    TRANSPORT_NOTHING,    /* the time is over */
    TRANSPORT_RECEIVED,   /* member, head, body */
    TRANSPORT_LINK,       /* member, up */
    TRANSPORT_EXTRA,      /* the caller's own socket can be read */
    TRANSPORT_TEXT,       /* a line that a person should see */
    TRANSPORT_INTERRUPTED /* SIGINT or SIGTERM */
};

/* The pointers live until the next call of transport_poll or _free. */
struct transport_event {
    enum transport_event_kind kind;
    uint32_t member;
    bool up;
    const uint8_t *head, *body;
    size_t head_size, body_size;
    const char *text;
};

struct transport; /* opaque; one in a process at a time */

/* Listens and begins to call. Returns 0, or a negative errno with an error:
 * -EADDRINUSE if the port is taken. The secret is copied, wipe yours. */
int transport_new(struct transport **transport,
                  const struct transport_config *config, struct error *error);
/* What was sent has up to a second to leave. */
void transport_free(struct transport *transport);

/* Returns 0, or -ENOTCONN or -EAGAIN: dropped. */
int transport_send(struct transport *transport, uint32_t to,
                   const uint8_t *head, size_t head_size, const uint8_t *body,
                   size_t body_size);

/* The next thing that happens within `timeout_ms`. `extra`: a CZMQ socket that
 * is watched too, or NULL. */
void transport_poll(struct transport *transport, struct transport_event *event,
                    void *extra, int64_t timeout_ms);

/* Where it listens, with the port that a wildcard became. */
const char *transport_endpoint(const struct transport *transport);
/* Messages that were refused: another study's, malformed, too long. */
uint64_t transport_dropped(const struct transport *transport);

#endif
