/* A step of an algorithm in which pairs of nodes meet. */

#ifndef LAB_COURSE_MEET_H
#define LAB_COURSE_MEET_H

#include "sim/lab/course_body.h"

/* Returns 0 or -EINVAL (a schedule that ends) with course->error. */
int course_meet_run(struct course *course);

#endif
