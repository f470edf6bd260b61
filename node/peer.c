#include "node/peer.h"

#include <stdlib.h>
#include <string.h>

void peer_set_up(struct peer *peer, bool up)
{
    if (peer->told && !up)
        peer->again = true;
    peer->up = up;
}

void peer_hang_up(struct peer *peer)
{
    peer->gone = true;
    peer_set_up(peer, false);
}

void peer_learn(struct peer *peer, zframe_t *id, zframe_t *frame,
                int64_t now_ms)
{
    const char *fd = zframe_meta(frame, "__fd");
    size_t size = zframe_size(id);

    if (size > PEER_ID_SIZE ||
        (size == peer->before_size &&
         memcmp(peer->before, zframe_data(id), size) == 0))
        return;
    if (size == peer->id_size && memcmp(peer->id, zframe_data(id), size) == 0) {
        if (!peer->gone && !peer->up)
            peer_set_up(peer, true); /* heard again after being ignored */
        return;
    }
    if (peer->id_size > 0 && !peer->gone &&
        now_ms - peer->since_ms < PEER_STAYS_MS)
        return;
    peer->since_ms = now_ms;
    memcpy(peer->before, peer->id, peer->id_size);
    peer->before_size = peer->id_size;
    memcpy(peer->id, zframe_data(id), size);
    peer->id_size = size;
    peer->fd = fd != NULL ? (uint32_t)strtoul(fd, NULL, 10) : UINT32_MAX;
    peer->gone = false;
    peer_set_up(peer, false); /* what was there before is no more */
    peer_set_up(peer, true);
}

bool peer_changed(struct peer *peer)
{
    if (peer->told == peer->up && !peer->again)
        return false;
    peer->told = !peer->told;
    peer->again = false;
    return true;
}
