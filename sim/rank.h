/* Which single columns the rows of a 0/1 matrix combine to: Gauss-Jordan over
 * GF(2^61 - 1). Rows are survivor sets of opened sums, columns are members;
 * a column that stands alone in the row space is a member whose vector the
 * sums give away, if it contributes the same each time. */

#ifndef SIM_RANK_H
#define SIM_RANK_H

#include <stdint.h>

#include "gossip/gossip.h"

struct rank { /* zero at the start */
    uint32_t count;
    uint32_t pivots[GOSSIP_MEMBERS_MAX];
    uint64_t rows[GOSSIP_MEMBERS_MAX][GOSSIP_MEMBERS_MAX]; /* reduced */
};

void rank_add(struct rank *rank, uint64_t columns);
/* Bitmap of the columns that stand alone. */
uint64_t rank_alone(const struct rank *rank);

#endif
