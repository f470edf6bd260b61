/* What a node knows of one link: whether it is up, what the engine was told of
 * it, and, of a peer that calls us, where to answer. */

#ifndef NODE_PEER_H
#define NODE_PEER_H

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

#include "crypto/x25519.h"
#include "node/dial.h"

enum {
    PEER_ID_SIZE = 255, /* of a routing id, at most */
    PEER_STAYS_MS = 1000
};

struct peer {
    char name[64], address[256];
    uint8_t link[X25519_BYTES];
    struct dial dial; /* used if we call it */
    int gauged;       /* its connection as the gauge knows it, or -1 */
    bool greeted;     /* the empty head went over this connection */
    uint8_t id[PEER_ID_SIZE], before[PEER_ID_SIZE]; /* if it calls us */
    size_t id_size, before_size;
    uint32_t fd;      /* of the connection with `id` */
    int64_t since_ms; /* it counts */
    bool gone;        /* that connection is closed */
    bool up, told;
    bool again; /* it was down in between, and nobody was told */
    int64_t deaf_until_ms;
    bool said_study, said_rule, said_trouble,
        said_host; /* one line of each kind */
};

void peer_set_up(struct peer *peer, bool up);

/* The connection with its routing id is closed. */
void peer_hang_up(struct peer *peer);

/* Learns where to answer the caller from a message's routing id and another of
 * its frames; the newest connection counts, but one that stands is not given up
 * again within PEER_STAYS_MS: whoever calls several times at once would have
 * each of its messages greeted. */
void peer_learn(struct peer *peer, zframe_t *id, zframe_t *frame,
                int64_t now_ms);

/* True if the link is not what was told last: tell `told` now. */
bool peer_changed(struct peer *peer);

#endif
