/* One phase of a step: every node sends, gets and combines. */

#ifndef LAB_COURSE_PHASE_H
#define LAB_COURSE_PHASE_H

#include "sim/lab/course_body.h"

/* Of those in place (course_room.h): up to `most` steps at once; how many. */
size_t course_phase_shift(struct course *course, size_t most);
void course_phase_run(struct course *course);

#endif
