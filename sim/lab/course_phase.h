/* One phase of a step: every node sends, gets and combines. */

#ifndef LAB_COURSE_PHASE_H
#define LAB_COURSE_PHASE_H

#include "sim/lab/course_body.h"

void course_phase_run(struct course *course);

#endif
