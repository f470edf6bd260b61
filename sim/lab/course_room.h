/* The memory of a course. */

#ifndef LAB_COURSE_ROOM_H
#define LAB_COURSE_ROOM_H

#include "sim/lab/course_body.h"

/* Whether its steps only average, each node with one other, in place. */
bool course_room_in_place(const struct course_plan *plan);
/* Of a course with its plan, n and d. Returns 0 or -ENOMEM. */
int course_room_make(struct course *course);
void course_room_free(struct course *course);

#endif
