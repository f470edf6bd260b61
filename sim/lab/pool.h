/* A few threads that share the rows of a loop. How the rows are split never
 * changes what one row computes, so results do not depend on their number. */

#ifndef LAB_POOL_H
#define LAB_POOL_H

#include <stddef.h>

enum { POOL_THREADS_MAX = 256 };

struct pool; /* opaque */

/* threads 0: as many as the machine has processors. NULL if out of memory. */
struct pool *pool_new(size_t threads);
void pool_free(struct pool *pool);
size_t pool_threads(const struct pool *pool);

/* Calls work(context, from, to, thread) so that [0, count) is covered once;
 * returns when all are done. Fewer than 2 * grain are not worth a second
 * thread. */
void pool_run(struct pool *pool, size_t count, size_t grain,
              void (*work)(void *context, size_t from, size_t to,
                           size_t thread),
              void *context);

#endif
