/* What a member of one pod among several does for the others: PROTOCOL.md,
 * section 10. Between its pod's opened sum and the next public state it waits
 * for what the other pods have. In mode exact it holds the engine's ABSORB back
 * until all pods' sums are added to it, in mode gossip the answer to it until
 * the state is mixed (node/blend.h).
 */

#ifndef NODE_ACROSS_H
#define NODE_ACROSS_H

#include "model/task.h"
#include "node/blend.h"
#include "node/outbox.h"

struct across; /* opaque */

struct across_config {
    struct blend_config blend;
    const struct task_ops *ops; /* of `task`; both borrowed */
    const struct task *task;
    size_t length_max; /* of any shape, elements */
    uint32_t save_slot;
};

/* Returns 0 or a negative errno with an error. */
int across_new(struct across **across, const struct across_config *config,
               struct error *error);
void across_free(struct across *across);

/* First in a step: a neighbour's word (GOSSIP_POSTED), or what time it is. */
void across_hear(struct across *across, const struct gossip_event *event);

/* Takes an effect of the engine over; false: it is not one of those that pods
 * hold back. */
bool across_takes(struct across *across, struct outbox *outbox,
                  const struct gossip_effect *effect, uint64_t now_ms);
/* mode exact: the held ABSORB, now of all pods' sum; NULL: not yet. A sum that
 * cannot be ends the study by DONE with GOSSIP_SPOILED. */
const struct gossip_effect *across_sum(struct across *across,
                                       struct outbox *outbox, uint64_t now_ms);

/* mode gossip: whether *absorbed, the answer that made `state`, has to wait for
 * the other pods; then across_state is true once, when it is mixed. */
bool across_holds(struct across *across, const struct gossip_event *absorbed,
                  void *state);
bool across_state(struct across *across, struct outbox *outbox,
                  struct gossip_event *absorbed, void *state, uint64_t now_ms);

/* Last in a step: what goes to other pods and to fellows about them, when to
 * wake, whether to leave. */
void across_end(struct across *across, struct outbox *outbox, uint64_t now_ms);

/* blend_distance, of the models (the last that a round mixes). */
double across_distance(const struct across *across);
void across_view(const struct across *across, struct mix_view *view);

#endif
