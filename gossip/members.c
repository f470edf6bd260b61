#include "gossip/members.h"

#include <string.h>

#include "gossip/cohort.h"
#include "gossip/fields.h"
#include "gossip/mail.h"
#include "gossip/recover.h"
#include "gossip/round.h"

void members_link(struct gossip *g, uint32_t member, bool up)
{
    if (member >= g->config.members || member == g->config.self)
        return;
    if (g->up[member] != up) {
        g->up[member] = up;
        g->link_ms[member] = g->now_ms;
    }
    if (!up)
        return;
    g->met |= engine_bit(member);
    members_hello(g, member);
    recover_ask(g, member);
}

bool members_gone(const struct gossip *g, uint32_t member)
{
    return member != g->config.self && !g->up[member] &&
           g->now_ms >= g->link_ms[member] + g->config.grace_ms;
}

uint64_t members_all_gone(const struct gossip *g)
{
    uint64_t gone = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (members_gone(g, j))
            gone |= engine_bit(j);
    return gone;
}

uint64_t members_wake(const struct gossip *g)
{
    uint64_t wake = UINT64_MAX;

    for (uint32_t j = 0; j < g->config.members; j++) {
        uint64_t at = g->link_ms[j] + g->config.grace_ms;
        if (j != g->config.self && !g->up[j] && at > g->now_ms && at < wake)
            wake = at;
    }
    return wake;
}

void members_hello(struct gossip *g, uint32_t to)
{
    struct wire_message m = {.type = WIRE_HELLO};

    strncpy(m.hello.program, STARLING_VERSION, sizeof m.hello.program - 1);
    memcpy(m.hello.charter, g->config.charter, GOSSIP_HASH_BYTES);
    m.hello.field_count = g->config.field_count;
    memcpy(m.hello.fields, g->fields, sizeof m.hello.fields);
    mail_tell(g, to, &m);
}

/* The name is copied into this step's bytes: it may be the message's. */
static const char *difference(struct gossip *g, const struct wire_message *m)
{
    const char *name = fields_difference(g->fields, g->config.field_count,
                                         m->hello.fields, m->hello.field_count);

    if (name == NULL)
        return memcmp(m->hello.charter, g->config.charter, GOSSIP_HASH_BYTES) ==
                       0
                   ? NULL
                   : "charter";
    char *copy = (char *)effects_take(&g->effects, GOSSIP_FIELD_NAME_SIZE);
    if (copy == NULL)
        return "charter";
    memcpy(copy, name, GOSSIP_FIELD_NAME_SIZE);
    return copy;
}

void members_receive_hello(struct gossip *g, const struct wire_message *m)
{
    uint64_t bit = engine_bit(m->sender);
    bool known = (g->greeted & bit) != 0;
    const char *name = difference(g, m);

    g->greeted |= bit;
    if (name != NULL) {
        if ((g->differs & bit) == 0) {
            g->differs |= bit;
            mail_note(g, GOSSIP_NOTE_DIFFERS, bit, 0, name);
            members_hello(g, m->sender);
        }
        return;
    }
    g->differs &= ~bit;
    if (!known) {
        members_hello(g, m->sender);
        recover_ask(g, m->sender);
    }
}

void members_await(struct gossip *g)
{
    uint64_t missing = 0, gone = members_all_gone(g), all = engine_all(g);
    bool late;

    if (cohort_changes(g) && g->agree[WIRE_V].certified)
        all = g->agree[WIRE_V].value.members;

    switch (g->phase) {
    case PHASE_KEYS:
        missing = all & ~(g->have_keys & ~g->equivocated);
        break;
    case PHASE_SHARES:
        missing = all & ~g->have_shares;
        break;
    case PHASE_V:
        missing = all & ~g->have_acks;
        break;
    case PHASE_Y:
        missing = all & ~round_arrived(g);
        break;
    case PHASE_U:
        missing = all & ~g->have_recvs;
        break;
    case PHASE_OPEN:
        missing = engine_count(g->have_unmasks) < g->config.threshold
                      ? all & ~g->have_unmasks
                      : 0;
        break;
    default:
        break;
    }
    missing &= ~engine_bit(g->config.self) & ~g->declined;
    late = g->now_ms >= g->phase_began_ms + 2 * g->config.grace_ms;
    missing = late ? missing : missing & gone;
    if (missing == g->awaited)
        return;
    if (g->awaited == 0)
        g->awaited_ms = g->now_ms;
    g->awaited = missing;
    if (missing != 0 || g->awaited_told)
        mail_note(g, GOSSIP_NOTE_AWAITED, missing, 0, NULL);
    g->awaited_told = missing != 0;
}
