/* How much each site may ask for. One small question can cost many large
 * answers, so an answer is charged to whoever asked, by its bytes, and who owes
 * too much is not heard until time has paid for it. To leave a question out is
 * what a line does that loses it: it is asked again.
 */

#ifndef NODE_RATION_H
#define NODE_RATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/mix.h"

enum {
    RATION_ASK_MS = 2,            /* what a question alone costs */
    RATION_BYTES_PER_MS = 1 << 14 /* what its answer costs beside that */
};

struct ration {
    uint32_t pods[MIX_NEIGHBOURS_MAX + 1]; /* [count] */
    size_t count;
    uint64_t credit_ms;                       /* each may owe so much */
    uint64_t (*paid_ms)[MIXWIRE_MEMBERS_MAX]; /* [count] when nothing is owed */
};

/* pods[count]: whose sites may ask. vector_bytes: the longest answer, of which
 * one that has been away may need several at once. Returns 0 or -ENOMEM. */
int ration_open(struct ration *ration, const uint32_t *pods, size_t count,
                size_t vector_bytes);
void ration_close(struct ration *ration);

/* False: the site has asked too much, or is none of those pods'. */
bool ration_allows(const struct ration *ration, uint32_t pod, uint32_t member,
                   uint64_t now_ms);
/* It has asked, and is sent so much. */
void ration_charge(struct ration *ration, uint32_t pod, uint32_t member,
                   size_t bytes, uint64_t now_ms);

#endif
