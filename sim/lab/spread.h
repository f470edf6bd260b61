/* How the rows of a run are spread over processes (shard.h), and the loops over
 * them. Sums over rows are the same, bit by bit, for any number of processes:
 * within a block row by row, then block by block.
 */

#ifndef LAB_SPREAD_H
#define LAB_SPREAD_H

#include "sim/lab/halo.h"
#include "sim/lab/pool.h"

enum { SPREAD_BLOCK = 1024 }; /* rows whose sums are added one by one */

struct spread {
    size_t n, ranks;
    size_t from, to; /* rows of this process */
    size_t *start;   /* [ranks + 1] rows of each */
    size_t *blocks;  /* [ranks + 1] blocks that end in them */
    struct spread_kept *kept;
    size_t kept_count;
    struct halo passing; /* of a matrix that is drawn */
};

/* alone: every process has all rows, for itself. Returns 0 or -ENOMEM. */
int spread_new(struct spread *spread, size_t n, bool alone);
void spread_free(struct spread *spread);

/* pool_run() over the rows of this process. */
void spread_rows(const struct spread *spread, struct pool *pool, size_t grain,
                 void (*work)(void *context, size_t from, size_t to,
                              size_t thread),
                 void *context);

/* Over blocks of rows; work(context, from, to, thread) is of whole blocks and
 * adds up rows spread_first() to spread_last() of block b in partial[b, width],
 * from zero where spread_begins(). Everyone gets all of partial. */
void spread_blocks(const struct spread *spread, struct pool *pool,
                   double *partial, size_t width,
                   void (*work)(void *context, size_t from, size_t to,
                                size_t thread),
                   void *context);
bool spread_begins(const struct spread *spread, size_t b);
size_t spread_first(const struct spread *spread, size_t b);
size_t spread_last(const struct spread *spread, size_t b);

/* What this process needs of others for W; NULL: nothing, it has all rows.
 * fixed: W stays where it is, so that the halo is kept. */
const struct halo *spread_halo(struct spread *spread,
                               const struct mixing *mixing,
                               const struct halo_links *links, bool fixed);

#endif
