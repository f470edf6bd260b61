#include "gossip/cohort.h"

#include <assert.h>
#include <string.h>

#include "gossip/agree.h"
#include "gossip/keys.h"
#include "gossip/mail.h"
#include "gossip/members.h"
#include "gossip/round.h"

enum { PATIENCE_PER_DEADLINE = 4, PATIENCE_GROWTHS = 4 };

bool cohort_changes(const struct gossip *g)
{
    return g->config.on_loss == GOSSIP_CONTINUE;
}

/* With those who were never here the patience is a whole deadline: people do
 * not start their nodes in the same second. */
static uint64_t patience(const struct gossip *g, uint64_t missing)
{
    uint64_t growths =
        g->attempt < PATIENCE_GROWTHS ? g->attempt : PATIENCE_GROWTHS;

    if (g->phase == PHASE_KEYS) /* the attempt's deadline does not run yet */
        return g->round == 0 && (missing & ~g->met) ? g->config.deadline_ms
                                                    : g->config.deadline_ms / 2;
    return (g->config.deadline_ms / PATIENCE_PER_DEADLINE) << growths;
}

bool cohort_ready(struct gossip *g, uint64_t base, uint64_t have)
{
    uint64_t missing;

    have &= base & ~g->equivocated;
    missing = base & ~have & ~engine_bit(g->config.self);
    if (missing == 0)
        return true;
    if (!cohort_changes(g) || engine_count(have) < g->config.threshold) {
        g->enough_ms = UINT64_MAX;
        return false;
    }
    if (g->enough_ms == UINT64_MAX)
        g->enough_ms = g->now_ms;
    uint64_t gone = members_all_gone(g);
    if (g->phase == PHASE_KEYS && g->round == 0)
        gone &= g->met;
    missing &= ~gone & ~g->declined & ~g->equivocated;
    return missing == 0 || g->now_ms >= g->enough_ms + patience(g, missing);
}

uint64_t cohort_wake(const struct gossip *g)
{
    uint64_t soon, late;

    if (g->enough_ms == UINT64_MAX)
        return UINT64_MAX;
    soon = g->enough_ms + patience(g, 0);
    late = g->enough_ms + patience(g, engine_all(g));
    return soon > g->now_ms ? soon : late > g->now_ms ? late : UINT64_MAX;
}

bool cohort_allows(const struct gossip *g, uint64_t members)
{
    if (!cohort_changes(g))
        return members == engine_all(g);
    return engine_count(members) >= g->config.threshold;
}

/* How many in `among` j does not list or is not listed by. */
static uint32_t against(uint32_t j, uint64_t among, uint64_t reporters,
                        const uint64_t lists[GOSSIP_MEMBERS_MAX])
{
    uint64_t others = among & ~engine_bit(j), bad = 0;

    if (reporters & engine_bit(j))
        bad = others & ~lists[j];
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        if ((others & reporters & engine_bit(i)) &&
            (lists[i] & engine_bit(j)) == 0)
            bad |= engine_bit(i);
    return engine_count(bad);
}

uint64_t cohort_agreeing(const struct gossip *g, uint64_t candidates,
                         uint64_t reporters,
                         const uint64_t lists[GOSSIP_MEMBERS_MAX],
                         uint32_t turn)
{
    for (;;) {
        uint32_t worst = 0, most = 0;
        for (uint32_t k = 0; k < g->config.members; k++) {
            uint32_t j = (k + turn) % g->config.members;
            if ((candidates & engine_bit(j)) == 0)
                continue;
            uint32_t count = against(j, candidates, reporters, lists);
            if ((reporters & engine_bit(j)) && (lists[j] & engine_bit(j)) == 0)
                count = GOSSIP_MEMBERS_MAX; /* not even itself */
            if (count > most) {
                most = count;
                worst = j;
            }
        }
        if (most == 0)
            return candidates;
        candidates &= ~engine_bit(worst);
    }
}

void cohort_close(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_CLOSE, .round = g->round};
    struct mail *mail = &g->close_mail[g->config.self];

    assert(g->attempt > 0 && !g->released);
    m.attempt = g->attempt - 1;
    g->closed[g->config.self] = g->attempt;
    mail_write_at(g, mail, &m);
    mail_send_all(g, mail);
    mail_note(g, GOSSIP_NOTE_CLOSED, 0, g->attempt - 1, NULL);
}

bool cohort_is_new(const struct gossip *g)
{
    static const uint8_t none[GOSSIP_HASH_BYTES];
    const uint32_t c = g->config.colluders, spare = g->config.threshold - c - 2;
    const uint64_t heard =
        g->have_keys & keys_acknowledged(g) & ~g->equivocated;
    uint32_t count = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        count += (heard & engine_bit(j)) &&
                 memcmp(g->keys[j].prepared, none, sizeof none) == 0;
    return count + (c < spare ? c : spare) >= g->config.members;
}

void cohort_receive_close(struct gossip *g, const struct wire_message *m,
                          const uint8_t *head, size_t size)
{
    uint32_t j = m->sender;

    if (m->round != g->round || g->closed[j] > m->attempt)
        return;
    g->closed[j] = m->attempt + 1;
    mail_keep(&g->close_mail[j], head, size);
}

uint64_t cohort_closers(const struct gossip *g)
{
    uint64_t until = g->released ? g->released_attempt + 1 : g->attempt;
    uint64_t closers = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (g->closed[j] >= until)
            closers |= engine_bit(j);
    return closers;
}

/* g - t + c + 1 have closed: so many honest members refuse that fewer than t,
 * liars included, are left to release anything of what they closed. */
static bool are_enough(const struct gossip *g, uint64_t closers)
{
    return engine_count(closers) >=
           g->config.members - g->config.threshold + g->config.colluders + 1;
}

static bool enough_closed(const struct gossip *g)
{
    return are_enough(g, cohort_closers(g));
}

bool cohort_frees(const struct gossip *g)
{
    uint64_t others = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (j != g->config.self && g->closed[j] >= g->attempt)
            others |= engine_bit(j);
    return !cohort_changes(g) || g->attempt == 0 || are_enough(g, others);
}

uint32_t cohort_witnesses(const struct gossip *g)
{
    const uint32_t n = g->config.members, c = g->config.colluders;
    const uint32_t enough = n - g->config.threshold + 1;

    if (!g->config.active)
        return enough;
    return enough + c < n - 1 - c ? enough + c : n - 1 - c;
}

bool cohort_is_lost(const struct gossip *g)
{
    return cohort_changes(g) && g->config.threshold < g->config.members &&
           g->fresh && !round_v_is_ours(g) &&
           engine_count(g->here) < cohort_witnesses(g);
}

/* The U that was certified before, unless its attempt is dead: then there is
 * nothing to keep it for. */
static uint64_t certified(const struct gossip *g)
{
    uint64_t closers = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (g->closed[j] >= g->certified_attempt)
            closers |= engine_bit(j);
    return are_enough(g, closers) ? 0 : g->certified;
}

uint64_t cohort_kept(const struct gossip *g)
{
    if (!cohort_changes(g) || g->attempt == 0)
        return 0;
    if (g->released)
        return g->bound;
    return certified(g);
}

bool cohort_may_try(const struct gossip *g, uint64_t members)
{
    if (!cohort_changes(g))
        return true;
    if (g->released)
        return members == g->bound;
    if (g->attempt == 0 || (members == certified(g) && members != 0))
        return true;
    return g->closed[g->config.self] >= g->attempt && enough_closed(g);
}

void cohort_bind(struct gossip *g, uint64_t members, const struct mail *cert)
{
    if (!cohort_changes(g))
        return;
    g->released = true;
    g->bound = g->certified = members;
    g->released_attempt = g->attempt;
    g->certified_attempt = g->attempt + 1;
    mail_keep(&g->bound_mail, cert->bytes, cert->size);
}

bool cohort_unbind(struct gossip *g)
{
    if (!cohort_changes(g) || !g->released || g->bound == 0 ||
        !enough_closed(g))
        return false;
    g->released = false;
    g->bound_mail.size = 0;
    return true;
}

void cohort_receive_cert(struct gossip *g, const struct wire_message *m)
{
    if (!cohort_changes(g) || g->certified_attempt > m->attempt ||
        m->propose.kind != WIRE_U ||
        memcmp(m->propose.value.state, g->state_hash, GOSSIP_HASH_BYTES) != 0 ||
        agree_check(g, m, WIRE_COMMIT) != 0)
        return;
    g->certified = m->propose.value.members;
    g->certified_attempt = m->attempt + 1;
}

void cohort_forget(struct gossip *g)
{
    g->released = false;
    g->bound = g->certified = g->certified_attempt = 0;
    g->bound_mail.size = 0;
    memset(g->closed, 0, sizeof g->closed);
    memset(g->prepared, 0, sizeof g->prepared);
}

static uint64_t load64(const uint8_t *bytes)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void store64(uint8_t *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

/* Members in any opened sum, and in all of them. */
static void history(const struct gossip *g, uint64_t *ever, uint64_t *always)
{
    const uint8_t *at = g->state + g->config.state_size;

    *ever = load64(at);
    *always = *ever == 0 ? engine_all(g) : load64(at + 8);
}

uint64_t cohort_revealed(const struct gossip *g, uint64_t members)
{
    uint64_t ever, always;

    if (!cohort_changes(g))
        return 0;
    history(g, &ever, &always);
    ever |= members;
    always &= members == 0 ? UINT64_MAX : members;
    if (ever == 0 || (ever & ~always) == 0)
        return 0;
    /* A combination of sums in which a member always was, and is left alone,
     * has a factor before all of `always`: at least two of them honest. */
    return engine_count(always) < g->config.colluders + 2 ? ever
                                                          : ever & ~always;
}

void cohort_opened(const struct gossip *g, uint8_t *next, uint64_t members)
{
    uint64_t ever, always;

    if (!cohort_changes(g))
        return;
    history(g, &ever, &always);
    store64(next + g->config.state_size, ever | members);
    store64(next + g->config.state_size + 8, always & members);
}
