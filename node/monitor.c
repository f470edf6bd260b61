#include "node/monitor.h"

#include <czmq.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/socket.h"

enum { HEAD_BYTES = 6 }; /* 16 bits of code, 32 bits of value */

void *monitor_new(void *socket)
{
    static uint64_t serial; /* endpoints are one namespace a process */
    char endpoint[64];
    void *monitor;

    snprintf(endpoint, sizeof endpoint, "inproc://starling-monitor-%" PRIu64,
             __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED));
    if (zmq_socket_monitor(zsock_resolve(socket), endpoint,
                           ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                               ZMQ_EVENT_CONNECT_DELAYED | ZMQ_EVENT_CONNECTED |
                               ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECT_RETRIED |
                               ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                               ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0)
        return NULL;
    monitor = socket_new(ZMQ_PAIR);
    if (monitor != NULL) {
        zsock_set_rcvhwm(monitor, 0);
        if (zmq_connect(monitor, endpoint) == 0)
            return monitor;
    }
    monitor_free(&monitor, socket);
    return NULL;
}

void monitor_free(void **monitor, void *socket)
{
    if (socket != NULL)
        zmq_socket_monitor(zsock_resolve(socket), NULL, 0);
    socket_free(monitor);
}

bool monitor_next(void *monitor, struct monitor_event *event)
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
