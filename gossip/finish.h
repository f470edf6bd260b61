/* The end of a study: DONE when it finished, STOP or DECLINE when it did not.
 */

#ifndef GOSSIP_FINISH_H
#define GOSSIP_FINISH_H

#include "gossip/engine.h"

/* This site cannot contribute: everybody is told why, the study ends. */
void finish_decline(struct gossip *g, uint32_t decline);
/* `missing` did not come: the study ends here and, by STOP, everywhere. */
void finish_stop(struct gossip *g, uint64_t missing, enum gossip_reason reason);
/* The state is the last one. */
void finish_done(struct gossip *g);
/* After a restart into an ended study. */
void finish_resume(struct gossip *g);

void finish_receive_end(struct gossip *g, const struct wire_message *m,
                        const uint8_t *head, size_t size, uint32_t from);
void finish_receive_done(struct gossip *g, const struct wire_message *m,
                         const uint8_t *head, size_t size);

/* Nobody needs us any more, or linger_ms has passed: adds LEAVE. */
void finish_advance(struct gossip *g);
uint64_t finish_wake(const struct gossip *g);

#endif
