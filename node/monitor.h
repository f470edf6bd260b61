/* What happens to a socket's connections: libzmq's monitor, read without a
 * thread of its own (zmq_socket_monitor(3)). */

#ifndef NODE_MONITOR_H
#define NODE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct monitor_event {
    int code;       /* ZMQ_EVENT_... */
    uint32_t value; /* ACCEPTED, CONNECTED, DISCONNECTED: the connection's file
                       descriptor */
};

/* The end to poll and read, or NULL. Destroy it before the socket. */
void *monitor_new(void *socket);
void monitor_free(void **monitor, void *socket);

/* Takes one event; false: none is there. */
bool monitor_next(void *monitor, struct monitor_event *event);

#endif
