/* Who may connect: a handler of ZMQ's authentication protocol (RFC 27, ZAP)
 * for CURVE (RFC 25), in a thread of its own.
 *
 * A client is admitted if its CURVE key is a site's; its User-Id is then the
 * site's place in the roster, in decimal, and stands on every message of that
 * connection. Anybody else gets 400. A site that connects ever anew, so as to
 * use up what a connection costs or to guess what it will be called, is let in
 * only so often. */

#ifndef NODE_ZAP_H
#define NODE_ZAP_H

#include <czmq.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/x25519.h"

#define ZAP_DOMAIN "starling"

struct zap_config {
    const uint8_t (*keys)[X25519_BYTES]; /* [count] in roster order, copied */
    uint32_t count;
    uint32_t self; /* our own key is refused: nobody else has it */
};

/* Starts the one handler of this process; from its pipe come lines of text
 * about strangers. NULL with errno if there is one already or memory is out. */
zactor_t *zap_new(const struct zap_config *config);
void zap_free(zactor_t **zap);

#endif
