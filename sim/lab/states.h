/* A matrix with a row for every node, in double or single precision. Long rows
 * begin on cache lines; a large matrix asks for large pages. */

#ifndef LAB_STATES_H
#define LAB_STATES_H

#include <stdbool.h>
#include <stddef.h>

#include "gossip/mixing.h"

struct states {
    size_t n, d, width; /* [d] and zeros up to `width`, in whole lines */
    size_t stride;      /* numbers from row to row */
    size_t part;        /* of a row: see states_mix() */
    bool single;
    void *x; /* [n, stride] doubles or floats */
};

/* Zeros. Returns 0 or -ENOMEM. */
int states_new(struct states *states, size_t n, size_t d, bool single);
/* Zeros in rows from .. to only: the others take no memory until they are
 * written. */
int states_part(struct states *states, size_t n, size_t d, bool single,
                size_t from, size_t to);
void states_free(struct states *states);
size_t states_width(size_t d, bool single);
size_t states_bytes(size_t n, size_t d, bool single);

size_t states_row_size(const struct states *states); /* bytes, to the next */
void *states_row(const struct states *states, size_t i);
/* Row i: itself, or widened into room[d]. */
const double *states_read(const struct states *states, size_t i, double *room);
/* Row i becomes x[d], which may be itself. */
void states_write(struct states *states, size_t i, const double *x);

/* Rows from .. to of W x; not of MIXING_AVERAGE. Part by part where that keeps
 * what is read near. */
void states_mix(struct states *out, const struct mixing *mixing,
                const struct states *x, size_t from, size_t to);
bool states_sliced(const struct states *x); /* whether it does */
bool states_far(const struct states *x); /* too large for the fastest cache */

/* Zeros that begin on a cache line, of large pages where that pays. free() it.
 * NULL if out of memory. */
void *states_room(size_t size);

#endif
