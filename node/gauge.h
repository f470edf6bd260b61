/* How much has come in on each connection since a whole message was last taken
 * from it. libzmq bounds the size of a frame, but not the number of frames in a
 * message, of which it keeps each until the last is there: whoever holds a
 * site's key could fill this machine's memory. So a connection that brings too
 * much without an end is cut. Of TCP, by the kernel's own count.
 */

#ifndef NODE_GAUGE_H
#define NODE_GAUGE_H

#include <stddef.h>
#include <stdint.h>

enum {
    GAUGE_TOTAL = 4
}; /* all connections together may bring so many limits */

struct gauge {
    uint64_t limit; /* bytes of one connection */
    struct gauge_line {
        int fd;
        uint64_t taken; /* bytes that had come when a message was taken */
    } * lines;          /* [capacity] */
    size_t count, capacity;
};

void gauge_free(struct gauge *gauge);
/* A connection begins, ends, and a message of it is taken. Where there is no
 * memory to watch it, it is not. */
void gauge_begin(struct gauge *gauge, int fd);
void gauge_end(struct gauge *gauge, int fd);
void gauge_take(struct gauge *gauge, int fd);
/* Cuts one that brought too much: returns it, or -1. Its end is still to be
 * told. */
int gauge_cut(struct gauge *gauge);

#endif
