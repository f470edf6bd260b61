#include "sim/ordeal.h"

#include <string.h>

#include "crypto/prg.h"
#include "sim/adversary.h"
#include "sim/amnesia.h"
#include "sim/chaos.h"
#include "sim/churn.h"

/* Longer than the longest deadline of an attempt. */
enum { STALL_MS = 200000 };

/* Crashes fall on liars, and on so many others that t honest members stay. */
static void spare(struct world_config *c)
{
    const uint32_t members = c->study->site_count;
    uint64_t mortal = c->liars;
    uint8_t seed[PRG_SEED_BYTES] = "starling spare";
    size_t kept = 0;
    struct prg prg;

    for (int i = 0; i < 8; i++)
        seed[24 + i] = (uint8_t)(c->seed >> 8 * i);
    prg_seed(&prg, seed);
    while ((uint32_t)__builtin_popcountll(mortal) <
           members - c->study->threshold)
        mortal |= UINT64_C(1) << prg_below(&prg, members);
    for (size_t i = 0; i < c->crash_count; i++)
        if (mortal >> c->crashes[i].member & 1)
            c->crashes[kept++] = c->crashes[i];
    c->crash_count = kept;
}

static void draw_liars(struct world_config *c)
{
    struct adversary_config drawn = {.seed = c->seed};

    adversary_draw(&drawn, c->study->site_count, c->study->colluders);
    c->liars = drawn.liars;
    memcpy(c->deceits, drawn.deceits, sizeof c->deceits);
    for (uint32_t i = 0; i < c->study->site_count; i++)
        if (c->liars >> i & 1) /* seldom asked for, and only among pods */
            c->deceits[i] |= UINT64_C(1) << ADVERSARY_SETTLED;
}

bool ordeal_draw(struct world_config *c, const struct ordeal *o)
{
    bool all_return = true;

    for (size_t i = 0; i < c->crash_count; i++)
        if (c->crashes[i].restart_after_ms == WORLD_NEVER)
            all_return = false;
    if (o->chaos)
        all_return = chaos_draw(c);
    if (o->churn)
        all_return = churn_draw(c) && all_return;
    if (o->byzantine) {
        draw_liars(c);
        spare(c);
    }
    if (o->losses)
        amnesia_draw(c);
    if (o->churn || o->byzantine || o->losses)
        c->stall_ms = STALL_MS;
    return all_return;
}
