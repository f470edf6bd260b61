/* The virtual time of a course. */

#ifndef LAB_COURSE_CLOCK_H
#define LAB_COURSE_CLOCK_H

#include "sim/lab/course_body.h"

bool course_clock_on(const struct course *course);
/* What goes along a link in an exchange. */
double course_clock_bytes(const struct course *course);
/* After a phase. Returns 0 or -ENOMEM. */
int course_clock_run(struct course *course);

/* Each node at its own pace: the one that is done first. */
bool course_clock_own_pace(const struct course *course);
size_t course_clock_next(const struct course *course);
void course_clock_set_done(struct course *course, size_t i);
/* a meets b. */
void course_clock_pass(struct course *course, size_t a, size_t b,
                       uint64_t tick);

void course_clock_measure(struct course_row *row, const struct course *course);

#endif
