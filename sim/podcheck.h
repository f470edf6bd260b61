/* What must never happen between pods, whatever the network and liars do: fed
 * with all that the members of one pod post, it keeps the first violation as
 * one line. The rules bind honest members.
 *
 *   - a pod offers one vector a step, whoever of its members says it;
 *   - votes keep the rules of sim/votes.h in each step;
 *   - nobody COMMITs to a vector that no honest member of that neighbour
 *     offered; exact: to fewer than all.
 */

#ifndef SIM_PODCHECK_H
#define SIM_PODCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/study.h"

struct podcheck; /* opaque */

/* Of one pod's view; NULL if out of memory. */
struct podcheck *podcheck_new(const struct study *study, uint64_t liars);
void podcheck_free(struct podcheck *check);

/* `from` posts this; what a liar posts counts only where it counts for others.
 * body NULL: nobody knows the vector.
 * Returns whether it is an honest member's own offer. */
bool podcheck_posted(struct podcheck *check, uint32_t from, const uint8_t *head,
                     size_t head_size, const uint8_t *body, size_t body_size);
/* An honest member has mixed a step of `round`, without so many neighbours. */
void podcheck_mixed(struct podcheck *check, uint64_t round, uint64_t left_out);

/* All pods, by their number: what was committed to since, against what was
 * offered. */
void podcheck_between(struct podcheck *const *checks, uint32_t count);
/* What the pod offered last in a round, [*count], or NULL; and whether it mixed
 * all its neighbours in each of its steps. */
const uint64_t *podcheck_offered(const struct podcheck *check, uint64_t round,
                                 size_t *count, bool *complete);
/* Vectors of rounds before that are not asked for again. */
void podcheck_forget(struct podcheck *check, uint64_t round);

const char *podcheck_violation(const struct podcheck *check); /* "" */
/* Hashes of committed values that were found among the offers. */
uint64_t podcheck_matched(const struct podcheck *check);

#endif
