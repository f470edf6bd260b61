#include "gossip/adopt.h"

#include <string.h>

#include "gossip/cohort.h"
#include "gossip/mail.h"

enum { ATTEMPT_MAX = 1 << 30 }; /* no study gets there */

/* The newest attempt that one of them is in; with CHECK c + 1 must have got as
 * far, so that no liar leads astray. */
static uint64_t attempt_offered(const struct gossip *g, uint64_t members)
{
    uint32_t need = g->config.check ? g->config.colluders + 1 : 1;
    uint64_t newest = 0;

    for (uint32_t i = 0; i < g->config.members; i++) {
        uint64_t attempt = g->offers[i].attempt;
        uint32_t count = 0;
        for (uint32_t j = 0; j < g->config.members; j++)
            count += (members & engine_bit(j)) && g->offers[j].round != 0 &&
                     g->offers[j].attempt >= attempt;
        if ((members & engine_bit(i)) && count >= need && attempt > newest)
            newest = attempt;
    }
    return newest;
}

/* `bytes` is the state of `round` that `members` have signed. If we lost our
 * store, the attempt after the newest of theirs: in an older one we may have
 * spoken already. */
static void take(struct gossip *g, uint64_t round, uint64_t members,
                 const uint8_t *bytes)
{
    bool knows = g->config.check && !g->fresh;
    uint64_t attempt = attempt_offered(g, members) + (knows ? 0 : 1);

    memcpy(g->next, bytes, engine_state_size(g));
    struct gossip_effect *effect = effects_add(&g->effects, GOSSIP_ABSORB);
    effect->absorb.round = round;
    effect->absorb.state = g->state;
    effect->absorb.next = g->next;
    g->absorbing = round;
    g->absorbing_sum = false;
    g->attempt = attempt;
    mail_note(g, GOSSIP_NOTE_CAUGHT_UP, members, 0, NULL);
    g->phase = PHASE_ABSORB;
    g->phase_began_ms = g->now_ms;
}

/* While a state is made, another one is taken only if our fellows may have
 * forgotten the step by now: they are further, or have said nothing for long.
 */
static bool takes_states(const struct gossip *g, uint64_t round)
{
    return g->phase != PHASE_ABSORB ||
           (g->config.keeps_sum && g->absorbing_sum &&
            (round > g->absorbing ||
             g->now_ms >= g->phase_began_ms + g->config.deadline_ms));
}

/* With CHECK one honest member's word is enough: no two of them can have
 * absorbed different sums. Else members may have, and t decide. Who lost its
 * store sits out that round only: it must not have released in a later one. */
static uint32_t signers_needed(const struct gossip *g)
{
    uint32_t need = g->config.colluders + 1;

    if (!g->config.check)
        return g->config.threshold;
    if (g->fresh && cohort_changes(g) && cohort_witnesses(g) > need)
        need = cohort_witnesses(g);
    return need;
}

void adopt_receive(struct gossip *g, const struct wire_message *m,
                   const uint8_t *body, size_t body_size)
{
    uint8_t hash[GOSSIP_HASH_BYTES];
    uint64_t members = 0;

    if (m->round <= g->round || !takes_states(g, m->round) ||
        g->phase >= PHASE_FINISHED)
        return;
    wire_hash(hash, body, body_size);
    if (body_size != engine_state_size(g) || m->attempt > ATTEMPT_MAX ||
        memcmp(hash, m->done.state, sizeof hash) != 0) {
        g->dropped++;
        return;
    }
    g->offers[m->sender].round = m->round;
    g->offers[m->sender].attempt = m->attempt;
    memcpy(g->offers[m->sender].hash, hash, sizeof hash);
    for (uint32_t j = 0; j < g->config.members; j++)
        if (g->offers[j].round == m->round &&
            memcmp(g->offers[j].hash, hash, sizeof hash) == 0)
            members |= engine_bit(j);
    if (engine_count(members) >= signers_needed(g))
        take(g, m->round, members, body);
}
