#include "node/socket.h"

#include <czmq.h>

void *socket_new(int type)
{
    const int none = 0;
    void *socket = zmq_socket(zsys_init(), type);

    if (socket != NULL)
        zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    return socket;
}

void socket_free(void **socket)
{
    if (*socket != NULL)
        zmq_close(*socket);
    *socket = NULL;
}
