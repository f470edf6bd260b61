/* The mixing matrices of a run, one a step: fixed, in turn, or drawn. */

#ifndef LAB_SEQUENCE_H
#define LAB_SEQUENCE_H

#include <stdint.h>

#include "gossip/mixing.h"
#include "model/error.h"
#include "sim/lab/named.h"
#include "sim/lab/table.h"

enum sequence_kind {
    SEQUENCE_CYCLE,
    SEQUENCE_MATCHING,     /* a uniform perfect matching, averaged */
    SEQUENCE_EQUI_DYNAMIC, /* OD-EquiDyn, eta = 1/2 */
    SEQUENCE_OU_EQUI,      /* OU-EquiDyn: pairs at one distance */
    SEQUENCE_ORACLE,       /* Epidemic Learning: a random regular graph */
    SEQUENCE_LOCAL,        /* each sends to `degree` others */
    SEQUENCE_SENDS         /* from a table step,from,to; receivers average */
};

struct sequence {
    enum sequence_kind kind;
    size_t n;
    struct mixing **mixes; /* cycle: [count], owned */
    size_t count;
    size_t degree;
    uint64_t seed;
    struct table sends;   /* owned, sorted by step */
    struct mixing *drawn; /* of the last step asked for */
};

extern const char *const sequence_list[]; /* names with weights of their own */

/* Returns 0; -ENOENT if the name is none of these; -EINVAL, -ENOMEM. */
int sequence_named(struct sequence **sequence, const struct named_spec *spec,
                   size_t n, struct error *error);
struct sequence *sequence_new(enum sequence_kind kind, size_t n, size_t degree,
                              uint64_t seed);
/* Takes the mixing; NULL (and frees it) if out of memory. */
struct sequence *sequence_fixed(struct mixing *mixing);
void sequence_free(struct sequence *sequence);

/* Borrowed, valid until the next call. NULL if out of memory. */
const struct mixing *sequence_at(struct sequence *sequence, uint64_t step);

#endif
