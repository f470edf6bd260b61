#include "sim/network.h"

#include <assert.h>

enum { MILLION = 1000000 };

void network_start(struct network *n, const struct network_laws *laws,
                   const uint8_t seed[PRG_SEED_BYTES])
{
    assert(laws->latency_min_ms <= laws->latency_max_ms);
    assert(laws->partition_count <= NETWORK_PARTITIONS_MAX);
    *n = (struct network){.laws = *laws};
    prg_seed(&n->prg, seed);
}

uint64_t network_latency(struct network *n)
{
    const struct network_laws *l = &n->laws;

    return l->latency_min_ms +
           prg_below(&n->prg, l->latency_max_ms - l->latency_min_ms + 1);
}

bool network_joined(const struct network *n, uint32_t a, uint32_t b,
                    uint64_t now_ms)
{
    const uint64_t both = UINT64_C(1) << a | UINT64_C(1) << b;

    for (size_t i = 0; i < n->laws.partition_count; i++) {
        const struct network_partition *p = &n->laws.partitions[i];
        bool together = false;
        if (now_ms < p->from_ms || now_ms >= p->to_ms)
            continue;
        for (size_t k = 0; k < p->group_count; k++)
            together = together || (p->groups[k] & both) == both;
        if (!together)
            return false;
    }
    return true;
}

void network_send(struct network *n, struct network_fate *fate, uint32_t from,
                  uint32_t to, size_t size, uint64_t now_ms)
{
    const struct network_laws *l = &n->laws;
    uint64_t begin_us = now_ms * 1000;

    if (begin_us < n->free_us[from])
        begin_us = n->free_us[from];
    fate->departs_us = begin_us;
    if (l->bits_per_ms > 0)
        fate->departs_us += 8 * (uint64_t)size * 1000 / l->bits_per_ms;
    n->free_us[from] = fate->departs_us;

    /* The same number of draws whatever happens: fates stay comparable. */
    bool lost = prg_below(&n->prg, MILLION) < l->loss_ppm;
    bool twice = prg_below(&n->prg, MILLION) < l->duplicate_ppm;
    uint64_t departs_ms = (fate->departs_us + 999) / 1000;
    for (int i = 0; i < 2; i++)
        fate->at_ms[i] = departs_ms + network_latency(n);
    lost = lost || !network_joined(n, from, to, departs_ms) ||
           !network_joined(n, from, to, fate->at_ms[0]);
    fate->arrivals = lost ? 0 : twice ? 2 : 1;
}
