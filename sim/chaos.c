#include "sim/chaos.h"

#include "crypto/prg.h"

enum {
    LATENCY_MAX_MS = 200,
    MBIT_MIN = 10, /* the metrics of ten sites take seconds at 1 */
    MBIT_MAX = 1000,
    LOSS_MAX_PPM = 200000,
    DUPLICATE_MAX_PPM = 50000,
    CRASHES_MAX = 6,
    EFFECT_MAX = 3000, /* of a member, in which its crashes fall */
    RESTART_MAX_MS = 8000,
    PARTITIONS_MAX = 2,
    PARTITION_FROM_MS = 20000,
    PARTITION_MS = 6000,
    STALL_MS = 60000
};

static void draw_laws(struct network_laws *laws, struct prg *prg)
{
    *laws = (struct network_laws){0};
    laws->latency_max_ms = prg_below(prg, LATENCY_MAX_MS + 1);
    laws->latency_min_ms = prg_below(prg, laws->latency_max_ms + 1);
    laws->bits_per_ms =
        1000 * (MBIT_MIN + prg_below(prg, MBIT_MAX - MBIT_MIN + 1));
    laws->loss_ppm = (uint32_t)prg_below(prg, LOSS_MAX_PPM + 1);
    laws->duplicate_ppm = (uint32_t)prg_below(prg, DUPLICATE_MAX_PPM + 1);
}

static void draw_partitions(struct network_laws *laws, struct prg *prg,
                            uint32_t members)
{
    const uint64_t all =
        members == 64 ? UINT64_MAX : (UINT64_C(1) << members) - 1;

    laws->partition_count = prg_below(prg, PARTITIONS_MAX + 1);
    for (size_t i = 0; i < laws->partition_count; i++) {
        struct network_partition *p = &laws->partitions[i];
        uint64_t side = prg_below(prg, UINT64_MAX) & all;
        *p = (struct network_partition){.groups = {side, all & ~side},
                                        .group_count = 2};
        p->from_ms = prg_below(prg, PARTITION_FROM_MS);
        p->to_ms = p->from_ms + 1 + prg_below(prg, PARTITION_MS);
    }
}

bool chaos_draw(struct world_config *c)
{
    uint8_t seed[PRG_SEED_BYTES] = "starling chaos";
    const uint32_t members = c->study->site_count;
    bool all_return = true;
    struct prg prg;

    for (int i = 0; i < 8; i++)
        seed[24 + i] = (uint8_t)(c->seed >> 8 * i);
    prg_seed(&prg, seed);
    draw_laws(&c->laws, &prg);
    draw_partitions(&c->laws, &prg, members);
    c->crash_count = prg_below(&prg, CRASHES_MAX + 1);
    for (size_t i = 0; i < c->crash_count; i++) {
        struct world_crash *crash = &c->crashes[i];
        *crash = (struct world_crash){.when = WORLD_EFFECT};
        crash->member = (uint32_t)prg_below(&prg, members);
        crash->effect = 1 + prg_below(&prg, EFFECT_MAX);
        crash->restart_after_ms = 1 + prg_below(&prg, RESTART_MAX_MS);
        if (prg_below(&prg, 12) == 0) {
            crash->restart_after_ms = WORLD_NEVER;
            all_return = false;
        }
    }
    if (!all_return)
        c->stall_ms = STALL_MS;
    return all_return;
}
