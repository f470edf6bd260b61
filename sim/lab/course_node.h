/* One node of a course: where its rows are. */

#ifndef LAB_COURSE_NODE_H
#define LAB_COURSE_NODE_H

#include "sim/lab/course_body.h"

enum {
    COURSE_NODE_SPACING = 16 /* numbers between what two threads write */
};

/* work() on all rows of this process. */
void course_node_run(struct course *course,
                     void (*work)(void *context, size_t from, size_t to,
                                  size_t thread));
/* What all nodes of a thread have in common. */
void course_node_open(struct alg_node *node, struct course *course,
                      size_t thread);
/* Which node it is, and then, also, its rows: in place, or, of single
 * precision, a copy that the others put back. */
void course_node_name(struct alg_node *node, const struct course *course,
                      size_t i);
void course_node_begin(struct alg_node *node, struct course *course, size_t i);
/* v[first] and on, and what it sends. What others may be reading meanwhile is
 * left alone. */
void course_node_put(const struct alg_node *node, struct course *course,
                     size_t first, bool sends);
void course_node_end(const struct alg_node *node, struct course *course);
bool course_node_offline(const struct course *course, size_t i);

#endif
