/* Mixing matrices in turn that give each row its own share and that of one
 * other, `shift` rows on (the one-peer exponential graph), in place: as many as
 * fit are done in one pass over memory, since rows that are apart by multiples
 * of the first shift form a cycle of their own. Every row is computed as by
 * states_mix(), bit by bit.
 */

#ifndef LAB_SHIFT_H
#define LAB_SHIFT_H

#include "sim/lab/states.h"

enum { SHIFT_ROUNDS_MAX = 10 };

/* One pass. Rows are counted along the cycles, one cycle after the other. */
struct shift {
    struct states *x;
    size_t count;                  /* matrices */
    size_t by, length;             /* the first shift; rows of a cycle */
    size_t step[SHIFT_ROUNDS_MAX]; /* the others, in units of it */
    const double *share[SHIFT_ROUNDS_MAX];
    size_t span; /* rows behind that a row depends on */
    char *room;  /* [threads, shift_room()] */
};

/* Whether it is such a matrix. */
bool shift_is(const struct mixing *mixing);
/* Bytes for each thread. */
size_t shift_room(const struct states *x);
/* Takes the first of mixings[most], which is one, and as many as go with it,
 * which it borrows. */
void shift_plan(struct shift *shift, struct states *x,
                const struct mixing *const *mixings, size_t most);
/* When every thread has saved what others will have changed, each does its own,
 * the same from .. to of [0, n). */
void shift_save(const struct shift *shift, size_t from, size_t to,
                size_t thread);
void shift_pass(const struct shift *shift, size_t from, size_t to,
                size_t thread);

#endif
