/* A libzmq socket that can be had or not. CZMQ's own ends the process when no
 * file descriptor is left, and that is up to whoever connects to this machine.
 * CZMQ's other functions take these as well.
 */

#ifndef NODE_SOCKET_H
#define NODE_SOCKET_H

/* After zsys_init. What is not sent when it is freed is lost, unless ZMQ_LINGER
 * is set. Returns NULL with errno. */
void *socket_new(int type);
void socket_free(void **socket);

#endif
