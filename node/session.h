/* One member of a study at work: its links, its thread, its store. */

#ifndef NODE_SESSION_H
#define NODE_SESSION_H

#include "node/company.h"
#include "node/halt.h"
#include "node/member.h"
#include "node/progress.h"
#include "node/store.h"
#include "node/tape.h"
#include "node/trainer.h"
#include "node/transport.h"

/* Beyond the member's slots, and the last: the table of rounds so far. */
enum { SESSION_SLOT_ROUNDS = MEMBER_SLOTS };

struct session {
    const struct study *study; /* one pod's view, if there are pods */
    uint32_t self;
    const char *out; /* folder of the result */
    struct store *store;
    struct member *member;
    struct trainer *trainer;
    struct transport *transport;
    struct progress progress;
    struct company company;
    struct halt halt;
    struct tape *tape; /* or NULL */
    uint64_t wake_ms;
    bool over, finished, leaves;
};

/* Before the work: removes from `out` what is not the result of the state that
 * the member has, so that no failure leaves an older one there. */
void session_clear(const struct session *session);

/* Works until nobody needs this member any more. Returns 0 if the study is
 * finished and its result is written, else a negative errno with the reason. */
int session_run(struct session *session, struct error *error);

#endif
