#include "sim/churn.h"

#include "crypto/prg.h"

enum {
    CRASHES_MIN = 3,
    CRASHES_MAX = 24,
    ROUNDS = 8, /* in which they fall */
    SHORT_MS = 1500,
    LONG_MS = 30000,
    FOR_GOOD = 16 /* one of so many */
};

static struct world_crash crash(struct prg *prg, uint32_t members)
{
    static const enum wire_type types[] = {WIRE_KEYS,   WIRE_SHARES, WIRE_ACK,
                                           WIRE_COMMIT, WIRE_Y,      WIRE_RECV,
                                           WIRE_UNMASK, WIRE_SUM};
    struct world_crash c = {.when = (enum world_when)prg_below(prg, 3)};

    c.member = (uint32_t)prg_below(prg, members);
    c.type = types[prg_below(prg, sizeof types / sizeof *types)];
    c.round = prg_below(prg, ROUNDS);
    c.restart_after_ms =
        1 + prg_below(prg, prg_below(prg, 2) == 0 ? SHORT_MS : LONG_MS);
    if (prg_below(prg, FOR_GOOD) == 0)
        c.restart_after_ms = WORLD_NEVER;
    return c;
}

bool churn_draw(struct world_config *c)
{
    uint8_t seed[PRG_SEED_BYTES] = "starling churn";
    const uint32_t members = c->study->site_count;
    uint32_t lost = 0, bearable = members - c->study->threshold;
    struct prg prg;

    for (int i = 0; i < 8; i++)
        seed[24 + i] = (uint8_t)(c->seed >> 8 * i);
    prg_seed(&prg, seed);
    uint64_t count =
        CRASHES_MIN + prg_below(&prg, CRASHES_MAX - CRASHES_MIN + 1);
    for (; count > 0 && c->crash_count < WORLD_CRASHES_MAX; count--) {
        struct world_crash *next = &c->crashes[c->crash_count++];
        *next = crash(&prg, members);
        if (next->restart_after_ms != WORLD_NEVER)
            continue;
        if (lost >= bearable)
            next->restart_after_ms = LONG_MS;
        else
            lost++;
    }
    return lost == 0;
}
