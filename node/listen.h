/* The listening side of the links: one ROUTER, encrypted, that asks zap.h about
 * everybody who calls. */

#ifndef NODE_LISTEN_H
#define NODE_LISTEN_H

#include <czmq.h>
#include <stdint.h>

#include "crypto/x25519.h"
#include "model/error.h"

struct listen_config {
    const char *site, *address; /* "tcp://host:port" */
    const uint8_t *secret;      /* [X25519_BYTES] */
    int64_t frame_max;
    int queue_max;
    int silence_ms;
};

/* Opens the socket and its monitor. Returns 0 or a negative errno with an error
 * that names the address; both are NULL then. */
int listen_open(zsock_t **router, void **monitor,
                const struct listen_config *config, struct error *error);
void listen_close(zsock_t **router, void **monitor, int linger_ms);

#endif
