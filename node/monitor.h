/* What happens to a socket's connections: libzmq's monitor, read without a
 * thread of its own (zmq_socket_monitor(3)). */

#ifndef NODE_MONITOR_H
#define NODE_MONITOR_H

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

struct monitor_event {
    int code;       /* ZMQ_EVENT_... */
    uint32_t value; /* DISCONNECTED: the connection's file descriptor */
};

/* The end to poll and read, or NULL. Destroy it before the socket. */
zsock_t *monitor_new(zsock_t *socket);
void monitor_free(zsock_t **monitor, zsock_t *socket);

/* Takes one event; false: none is there. */
bool monitor_next(zsock_t *monitor, struct monitor_event *event);

#endif
