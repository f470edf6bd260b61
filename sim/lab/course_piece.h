/* A course as pieces of memory, for checkpoints. */

#ifndef LAB_COURSE_PIECE_H
#define LAB_COURSE_PIECE_H

#include "sim/lab/course.h"

/* All that a step needs of those before it, as pieces of memory to be saved or
 * put back; as many and as large for every course of one plan. Of all processes
 * (shard.h). */
enum course_share {
    COURSE_ALL,   /* the same in every process */
    COURSE_ROWS,  /* each has those of its rows */
    COURSE_FIRST, /* process 0 has it */
};
struct course_piece {
    void *at;
    size_t size;
    enum course_share share;
    const size_t *first; /* row i is from first[i] units on, or, NULL, unit i */
    size_t unit;         /* bytes */
};
enum { COURSE_PIECES_MAX = 24 };
size_t course_piece_list(struct course_piece pieces[COURSE_PIECES_MAX],
                         struct course *course);
/* The part of a piece by rows that a process has: its size, and *at. 0 for a
 * process beyond those that share the rows. */
size_t course_piece_part(void **at, const struct course_piece *piece,
                         const struct course *course, size_t rank);

#endif
