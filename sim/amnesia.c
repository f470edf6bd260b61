#include "sim/amnesia.h"

#include "crypto/prg.h"

enum {
    ROUNDS = 6,
    SHORT_MS = 1500,
    LONG_MS = 12000,
    DROPS_MS = 30000, /* until when at most a release goes astray */
    AGAIN_EFFECTS = 150
};

static uint64_t bit_of(enum wire_type type)
{
    return UINT64_C(1) << type;
}

static uint32_t draw_honest(const struct world_config *c, struct prg *prg)
{
    uint32_t member;

    do
        member = (uint32_t)prg_below(prg, c->study->site_count);
    while (c->liars >> member & 1);
    return member;
}

static uint64_t some(struct prg *prg, uint32_t members, uint32_t count)
{
    uint64_t set = 0;

    while ((uint32_t)__builtin_popcountll(set) < count)
        set |= UINT64_C(1) << prg_below(prg, members);
    return set;
}

/* Of the crashes that there are one whose member is honest and comes back, or
 * NULL. */
static struct world_crash *draw_crash(struct world_config *c, struct prg *prg)
{
    const uint64_t from = prg_below(prg, WORLD_CRASHES_MAX);

    for (size_t i = 0; i < c->crash_count; i++) {
        struct world_crash *crash = &c->crashes[(from + i) % c->crash_count];
        if (crash->restart_after_ms != WORLD_NEVER &&
            (c->liars >> crash->member & 1) == 0)
            return crash;
    }
    return NULL;
}

/* Where it hurts: after a release, most of all in the first round, the only one
 * that may be begun anew. */
static struct world_crash make_crash(const struct world_config *c,
                                     struct prg *prg)
{
    static const enum wire_type types[] = {
        WIRE_UNMASK, WIRE_UNMASK, WIRE_UNMASK, WIRE_KEYS, WIRE_COMMIT, WIRE_Y};
    struct world_crash crash = {.when = (enum world_when)prg_below(prg, 3)};

    crash.member = draw_honest(c, prg);
    crash.type = types[prg_below(prg, sizeof types / sizeof *types)];
    if (prg_below(prg, 2) == 0)
        crash.round = prg_below(prg, 2) == 0 ? 1 : prg_below(prg, ROUNDS);
    crash.restart_after_ms =
        1 + prg_below(prg, prg_below(prg, 4) == 0 ? LONG_MS : SHORT_MS);
    return crash;
}

/* The sum of that attempt does not open though some have released, and others
 * have not even heard that they may. */
static void draw_drops(struct world_config *c, const struct world_crash *crash,
                       struct prg *prg)
{
    const uint32_t members = c->study->site_count;
    const uint64_t all =
        members == 64 ? UINT64_MAX : (UINT64_C(1) << members) - 1;
    const uint32_t spare = members - c->study->threshold;
    struct world_drop drop = {.from = all,
                              .to = all,
                              .types = bit_of(WIRE_UNMASK),
                              .round = (uint32_t)crash->round,
                              .attempt = prg_below(prg, 2) == 0 ? 0 : WORLD_ANY,
                              .ballot = WORLD_ANY,
                              .kind = WIRE_U};

    if (c->drop_count + 3 > WORLD_DROPS_MAX)
        return;
    if (crash->round == 0 && prg_below(prg, 3) == 0) {
        /* No U is PREPAREd in the first attempt, so that KEYS say so. */
        struct world_drop first = drop;
        first.types = bit_of(WIRE_PREPARE);
        first.kind = WIRE_V;
        first.attempt = 0;
        first.until_ms = DROPS_MS;
        drop.attempt = 1;
        c->drops[c->drop_count++] = first;
    }
    drop.until_ms = 1 + prg_below(prg, DROPS_MS);
    c->drops[c->drop_count++] = drop;
    drop.types = bit_of(WIRE_COMMIT) | bit_of(WIRE_CERT);
    drop.to = some(prg, members, (uint32_t)prg_below(prg, spare + 2)) &
              ~(UINT64_C(1) << crash->member);
    c->drops[c->drop_count++] = drop;
}

void amnesia_draw(struct world_config *c)
{
    uint8_t seed[PRG_SEED_BYTES] = "starling amnesia";
    struct world_crash *loss = NULL;
    struct prg prg;

    if (c->study->threshold == c->study->site_count ||
        c->crash_count + 2 > WORLD_CRASHES_MAX)
        return;
    for (int i = 0; i < 8; i++)
        seed[24 + i] = (uint8_t)(c->seed >> 8 * i);
    prg_seed(&prg, seed);
    if (prg_below(&prg, 4) == 0)
        loss = draw_crash(c, &prg);
    if (loss == NULL) {
        loss = &c->crashes[c->crash_count++];
        *loss = make_crash(c, &prg);
        if (prg_below(&prg, 4) != 0)
            draw_drops(c, loss, &prg);
    }
    loss->forgets = true;
    if (prg_below(&prg, 3) == 0) /* that it did must not be forgotten, too */
        c->crashes[c->crash_count++] = (struct world_crash){
            .member = loss->member,
            .when = WORLD_EFFECT,
            .effect = 1 + prg_below(&prg, AGAIN_EFFECTS),
            .after_loss = true,
            .restart_after_ms = 1 + prg_below(&prg, SHORT_MS)};
}
