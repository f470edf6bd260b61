#include "sim/rank.h"

#include <string.h>

static const uint64_t prime = (UINT64_C(1) << 61) - 1;

static uint64_t times(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    uint64_t sum = (uint64_t)(product & prime) + (uint64_t)(product >> 61);

    return sum >= prime ? sum - prime : sum;
}

static uint64_t inverse(uint64_t a)
{
    uint64_t result = 1;

    for (uint64_t e = prime - 2; e > 0; e >>= 1) {
        if (e & 1)
            result = times(result, a);
        a = times(a, a);
    }
    return result;
}

/* row -= factor * other */
static void subtract(uint64_t *row, uint64_t factor, const uint64_t *other)
{
    if (factor == 0)
        return;
    for (int k = 0; k < GOSSIP_MEMBERS_MAX; k++) {
        uint64_t product = times(factor, other[k]);
        row[k] =
            row[k] >= product ? row[k] - product : row[k] + prime - product;
    }
}

void rank_add(struct rank *r, uint64_t columns)
{
    uint64_t row[GOSSIP_MEMBERS_MAX];
    uint32_t pivot = 0;

    for (int k = 0; k < GOSSIP_MEMBERS_MAX; k++)
        row[k] = columns >> k & 1;
    for (uint32_t i = 0; i < r->count; i++)
        subtract(row, row[r->pivots[i]], r->rows[i]);
    while (pivot < GOSSIP_MEMBERS_MAX && row[pivot] == 0)
        pivot++;
    if (pivot == GOSSIP_MEMBERS_MAX)
        return;
    uint64_t scale = inverse(row[pivot]);
    for (int k = 0; k < GOSSIP_MEMBERS_MAX; k++)
        row[k] = times(row[k], scale);
    for (uint32_t i = 0; i < r->count; i++)
        subtract(r->rows[i], r->rows[i][pivot], row);
    r->pivots[r->count] = pivot;
    memcpy(r->rows[r->count++], row, sizeof row);
}

uint64_t rank_alone(const struct rank *r)
{
    uint64_t alone = 0;

    for (uint32_t i = 0; i < r->count; i++) {
        int others = 0;
        for (uint32_t k = 0; k < GOSSIP_MEMBERS_MAX; k++)
            others += k != r->pivots[i] && r->rows[i][k] != 0;
        if (others == 0)
            alone |= UINT64_C(1) << r->pivots[i];
    }
    return alone;
}
