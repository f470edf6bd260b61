/* How much has come in on each connection beyond what was taken from it: whole
 * messages that wait, and one without an end. libzmq bounds the size of a
 * frame, but not the number of frames in a message, of which it keeps each
 * until the last is there, and its bound of whole messages must be off
 * (dial.c): whoever holds a site's key could fill this machine's memory. So a
 * connection that brings too much is cut. Of TCP, by the kernel's own count.
 */

#ifndef NODE_GAUGE_H
#define NODE_GAUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GAUGE_TOTAL = 4
}; /* all connections together may bring so many limits */

struct gauge {
    uint64_t limit; /* bytes of one connection */
    struct gauge_line {
        int fd;
        uint64_t taken; /* bytes */
        bool cut;
    } * lines; /* [capacity] */
    size_t count, capacity;
};

void gauge_free(struct gauge *gauge);
/* A connection begins, ends, and a message of so many bytes is taken from it.
 * Where there is no memory to watch it, it is not. */
void gauge_begin(struct gauge *gauge, int fd);
void gauge_end(struct gauge *gauge, int fd);
bool gauge_watches(const struct gauge *gauge, int fd);
void gauge_take(struct gauge *gauge, int fd, size_t size);
/* Cuts one that brought too much: returns it, or -1. Its end is still to be
 * told. */
int gauge_cut(struct gauge *gauge);

#endif
