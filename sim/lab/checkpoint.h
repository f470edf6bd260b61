/* A run that is under way: what it has recorded and what its next step needs,
 * bit by bit, in one file beside those of finished runs (keep.h). A run that
 * goes on from it ends like one that was never stopped. */

#ifndef LAB_CHECKPOINT_H
#define LAB_CHECKPOINT_H

#include "sim/lab/course.h"
#include "sim/lab/keep.h"

struct checkpoint {
    const struct keep *keep;
    size_t index;       /* of the run */
    uint64_t every;     /* steps; 0: by time, so that it costs little */
    uint64_t row_every; /* steps from recorded row to row */
    double due;         /* seconds: not before */
    bool off;           /* one could not be written: that is told once */
};

/* now: seconds of a clock that only goes on, as below. */
void checkpoint_begin(struct checkpoint *checkpoint, const struct keep *keep,
                      size_t index, uint64_t every, uint64_t row_every,
                      double now);

/* Of all processes (shard.h), these three; the first one's file, which is the
 * same for any number of them. Puts the course and rows[*step / row_every + 1]
 * back as they were after *step steps; 0: there is no checkpoint. One of
 * another experiment, or a damaged one, is told by a line on stderr and not
 * used. Returns 0, or -EIO with an error: the course is then of no use. */
int checkpoint_load(uint64_t *step, const struct checkpoint *checkpoint,
                    struct course *course, struct course_row *rows,
                    struct error *error);

bool checkpoint_is_due(const struct checkpoint *checkpoint, uint64_t step,
                       double now);
/* Replaces the one before when it is whole on disk. Without room there the run
 * goes on all the same. */
void checkpoint_save(struct checkpoint *checkpoint, uint64_t step,
                     struct course *course, const struct course_row *rows);
/* The next one is due some time after `now`; writing took `seconds`. */
void checkpoint_wait(struct checkpoint *checkpoint, double now, double seconds);
/* The run is finished. */
void checkpoint_remove(const struct checkpoint *checkpoint);

#endif
