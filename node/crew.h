/* Threads that help with one long vector: gossip_config.share of a real node.
 * The caller works too, and waits for the last. */

#ifndef NODE_CREW_H
#define NODE_CREW_H

#include <stddef.h>

enum { CREW_HELPERS_MAX = 63 };

struct crew; /* opaque */

/* helpers: threads beside the caller's, 0..CREW_HELPERS_MAX; fewer if no more
 * can be had. NULL if out of memory. */
struct crew *crew_new(size_t helpers);
void crew_free(struct crew *crew);

/* work(argument, k) once for each k < count. `context` is a crew; one caller at
 * a time. */
void crew_share(void *context, size_t count,
                void (*work)(void *argument, size_t k), void *argument);

#endif
