/* The memory of a course. */

#ifndef LAB_COURSE_ROOM_H
#define LAB_COURSE_ROOM_H

#include "sim/lab/course_body.h"

/* Of a course with its plan, n and d. Returns 0 or -ENOMEM. */
int course_room_make(struct course *course);
void course_room_free(struct course *course);

#endif
