/* Free loopback ports for processes that are yet to start. */

#ifndef SIM_PORT_H
#define SIM_PORT_H

#include <stdint.h>

/* Binds a free port of 127.0.0.1 without listening: nobody else is given it,
 * but a process that binds it with SO_REUSEADDR, as ZeroMQ does, may have it,
 * also a second time. Returns a descriptor that holds the port until it is
 * closed, or a negative errno. */
int port_reserve(uint16_t *port);

#endif
