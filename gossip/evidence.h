/* What shows that a member broke the rules, as it signed it: two different
 * messages where one is allowed, or a sum that recomputing refutes. Kept on
 * disk, shown to everybody, good before any third party. */

#ifndef GOSSIP_EVIDENCE_H
#define GOSSIP_EVIDENCE_H

#include "gossip/engine.h"

/* Two signed heads of one sender contradict each other: the same type, round,
 * attempt (and ballot, kind or slice), another body. Checks all of it, and both
 * signatures. Pure: for whoever is shown them. */
bool evidence_contradicts(const struct gossip *g, const uint8_t *first,
                          size_t first_size, const uint8_t *second,
                          size_t second_size);

/* `head` contradicts what its sender said in *kept: if so, keeps both, passes
 * both on to everybody and tells. The signatures were checked. */
void evidence_two(struct gossip *g, const struct mail *kept,
                  const uint8_t *head, size_t size);
/* A signed SUM or CHECK that is false of `slice`, as we summed it ourselves. */
void evidence_false(struct gossip *g, uint32_t member, uint32_t slice,
                    const uint8_t *head, size_t size);

/* *m, of the attempt under way, is of a type that its sender has sent already:
 * looks whether it is the same. */
void evidence_compare(struct gossip *g, const struct wire_message *m,
                      const uint8_t *head, size_t size);
/* The same for the votes of a quorum of `type`, which was checked. */
void evidence_quorum(struct gossip *g, const struct wire_message *m,
                     enum wire_type type);

#endif
