#include "node/monitor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HEAD_BYTES = 6 }; /* 16 bits of code, 32 bits of value */

zsock_t *monitor_new(zsock_t *socket)
{
    static uint64_t serial; /* endpoints are one namespace a process */
    char endpoint[64];
    zsock_t *monitor;

    snprintf(endpoint, sizeof endpoint, "inproc://starling-monitor-%" PRIu64,
             __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED));
    if (zmq_socket_monitor(zsock_resolve(socket), endpoint,
                           ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                               ZMQ_EVENT_CONNECT_DELAYED | ZMQ_EVENT_CONNECTED |
                               ZMQ_EVENT_CONNECT_RETRIED |
                               ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                               ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0)
        return NULL;
    monitor = zsock_new(ZMQ_PAIR);
    if (monitor == NULL)
        return NULL;
    zsock_set_rcvhwm(monitor, 0);
    if (zsock_connect(monitor, "%s", endpoint) != 0)
        zsock_destroy(&monitor);
    return monitor;
}

void monitor_free(zsock_t **monitor, zsock_t *socket)
{
    if (socket != NULL)
        zmq_socket_monitor(zsock_resolve(socket), NULL, 0);
    zsock_destroy(monitor);
}

bool monitor_next(zsock_t *monitor, struct monitor_event *event)
{
    zframe_t *frame = zframe_recv_nowait(monitor);
    bool more;

    if (frame == NULL)
        return false;
    *event = (struct monitor_event){0};
    if (zframe_size(frame) >= HEAD_BYTES) {
        uint16_t code;

        memcpy(&code, zframe_data(frame), sizeof code);
        memcpy(&event->value, zframe_data(frame) + sizeof code,
               sizeof event->value);
        event->code = code;
    }
    for (more = zframe_more(frame); more; more = zframe_more(frame)) {
        zframe_destroy(&frame);
        frame = zframe_recv(monitor); /* the endpoint */
        if (frame == NULL)
            break;
    }
    zframe_destroy(&frame);
    return true;
}
