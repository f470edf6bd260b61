/* What the demonstration tells while it runs, line by line, as plain text. */

#ifndef SIM_STORY_H
#define SIM_STORY_H

#include "model/task.h"
#include "sim/fleet.h"
#include "sim/patients.h"

struct story {       /* zero at the start */
    uint64_t up;     /* bitmap of sites heard of */
    uint64_t rounds; /* opened ones told */
    uint64_t awaited;
    uint64_t victim_round; /* of the kill; victim: bitmap, 0 before it */
    uint64_t victim;
    uint64_t bytes[GOSSIP_MEMBERS_MAX]; /* sent by then, of each node */
    bool rebuilt, copied, returned;
};

void story_begin(const struct patients *patients, bool real, double l2,
                 uint32_t threshold);
void story_tell(struct story *story, const struct fleet *fleet,
                const struct fleet_event *event);

/* `result` is the cluster's, `pooled` the fit of all rows in one place. Returns
 * the largest difference of a coefficient, HUGE_VAL if one has no partner. */
double story_end(const json_t *result, const struct task_report *pooled,
                 const char *out);

#endif
