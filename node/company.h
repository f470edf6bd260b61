/* The sites that this one is linked with, as a person is told of them: who is
 * here, who is refused, whose study file differs. A peer can make each line be
 * said a few times a minute, not more: a log is on a disk, too. */

#ifndef NODE_COMPANY_H
#define NODE_COMPANY_H

#include "node/greeting.h"
#include "node/links.h"
#include "node/progress.h"

enum { COMPANY_LINES = 12 /* a minute, of one peer's links */ };

struct company {
    const struct study *study; /* one pod's view, if there are pods */
    struct progress *progress;
    struct links links;
    struct greeting greeting;
    struct company_peer {
        uint64_t refused, told; /* heads that nobody here would have */
        int64_t told_ms;
        bool differs; /* its study, and it is of another pod */
        char field[GOSSIP_FIELD_NAME_SIZE]; /* in what, when last told */
        int64_t lines_ms;                   /* the minute of `lines` began */
        uint32_t lines;
    } peers[LINKS_MAX]; /* by place in links */
};

const struct study_site *company_site(const struct company *company,
                                      uint32_t place);

/* Whether one more line about these of the pod may be said now: what they can
 * make their engines' notes say as often as they like. */
bool company_may_tell(struct company *company, uint64_t members);

void company_link(struct company *company, uint32_t place, bool up);
/* It sent so many more messages that were refused. */
void company_refused(struct company *company, uint32_t place, uint64_t count);
/* Whether a message was a greeting for this file and not for the engine. */
bool company_greeted(struct company *company, uint32_t place,
                     const uint8_t *head, size_t size);

#endif
