#include "gossip/survivors.h"

#include <sodium.h>
#include <string.h>

#include "gossip/cohort.h"
#include "gossip/mail.h"
#include "gossip/record.h"
#include "gossip/round.h"

/* Somebody has told its sender another Y than us: now it sees both. */
static void show_other_ys(struct gossip *g, const struct wire_message *m)
{
    for (uint32_t j = 0; j < g->config.members; j++)
        if ((m->recv.members & engine_bit(j)) && g->y_mail[j].size != 0 &&
            j != m->sender &&
            memcmp(m->recv.hash_v, g->kept_v, GOSSIP_HASH_BYTES) == 0 &&
            memcmp(m->recv.ys[j], g->y_hash[j], GOSSIP_HASH_BYTES) != 0)
            mail_send_parts(g, m->sender, &g->y_mail[j], 0, NULL, 0);
}

void survivors_receive_recv(struct gossip *g, const struct wire_message *m,
                            const uint8_t *head, size_t size)
{
    uint32_t j = m->sender;

    if (g->have_recvs & engine_bit(j))
        return;
    g->recvs[j].members = m->recv.members;
    memcpy(g->recvs[j].hash_v, m->recv.hash_v, GOSSIP_HASH_BYTES);
    memcpy(g->recvs[j].state, m->recv.state, GOSSIP_HASH_BYTES);
    memcpy(g->recvs[j].ys, m->recv.ys, sizeof m->recv.ys);
    wire_hash(g->recvs[j].hash, m->body, m->body_size);
    if (j != g->config.self)
        show_other_ys(g, m);
    if (head != g->recv_mail[j].bytes)
        mail_keep(&g->recv_mail[j], head, size);
    g->have_recvs |= engine_bit(j);
}

void survivors_report(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_RECV}, said;
    struct mail *mail = &g->recv_mail[g->config.self];

    memcpy(m.recv.hash_v, g->agree[WIRE_V].hash, GOSSIP_HASH_BYTES);
    memcpy(m.recv.state, g->state_hash, GOSSIP_HASH_BYTES);
    m.recv.members = round_arrived(g);
    memcpy(m.recv.ys, g->y_hash, sizeof m.recv.ys);
    mail_write(g, mail, &m);
    wire_parse(&said, mail->bytes, mail->size, g->config.members);
    survivors_receive_recv(g, &said, mail->bytes, mail->size);
    mail_send_all(g, mail);
    mail_note(g, GOSSIP_NOTE_RECV, 0, 0, NULL);
}

uint64_t survivors_owners(const struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V];
    uint64_t owners = 0;

    if (!v->certified)
        return 0;
    for (uint32_t j = 0; j < g->config.members; j++)
        if ((g->have_recvs & v->value.members & engine_bit(j)) &&
            memcmp(g->recvs[j].hash_v, v->hash, GOSSIP_HASH_BYTES) == 0 &&
            memcmp(g->recvs[j].state, g->state_hash, GOSSIP_HASH_BYTES) == 0)
            owners |= engine_bit(j);
    return owners;
}

/* i has reported all slices of this Y of j. */
static bool lists_y(const struct gossip *g, uint32_t i, uint32_t j,
                    const uint8_t *y)
{
    return (g->recvs[i].members & engine_bit(j)) &&
           memcmp(g->recvs[i].ys[j], y, GOSSIP_HASH_BYTES) == 0;
}

void survivors_value(const struct gossip *g, struct wire_value *value,
                     uint64_t owners)
{
    const struct agree *v = &g->agree[WIRE_V];

    *value = (struct wire_value){.kind = WIRE_U};
    memcpy(value->hash_v, v->hash, GOSSIP_HASH_BYTES);
    memcpy(value->state, g->state_hash, GOSSIP_HASH_BYTES);
    for (uint32_t j = 0; j < g->config.members; j++) {
        const uint8_t *y = NULL;
        bool in = (v->value.members & engine_bit(j)) != 0;
        for (uint32_t i = 0; i < g->config.members && in; i++) {
            if ((owners & engine_bit(i)) == 0)
                continue;
            if (y == NULL)
                y = g->recvs[i].ys[j];
            in = lists_y(g, i, j, y);
        }
        if (!in || y == NULL)
            continue;
        value->members |= engine_bit(j);
        memcpy(value->said[j], y, GOSSIP_HASH_BYTES);
    }
}

/* The Y of member j that most of `owners` hold. */
static const uint8_t *common_y(const struct gossip *g, uint64_t owners,
                               uint32_t j)
{
    const uint8_t *best = NULL;
    uint32_t most = 0;

    for (uint32_t i = 0; i < g->config.members; i++) {
        uint32_t count = 0;
        if ((owners & engine_bit(i)) == 0)
            continue;
        for (uint32_t k = 0; k < g->config.members; k++)
            count +=
                (owners & engine_bit(k)) && lists_y(g, k, j, g->recvs[i].ys[j]);
        if (count > most) {
            most = count;
            best = g->recvs[i].ys[j];
        }
        if (2 * most > engine_count(owners))
            break;
    }
    return best;
}

uint64_t survivors_reporters(const struct gossip *g, uint32_t turn)
{
    uint64_t lists[GOSSIP_MEMBERS_MAX] = {0}, owners = survivors_owners(g);
    uint64_t all = g->agree[WIRE_V].value.members, full = 0;

    for (uint32_t j = 0; j < g->config.members; j++) {
        const uint8_t *y = common_y(g, owners, j);
        for (uint32_t i = 0; i < g->config.members; i++)
            if (y != NULL && (owners & engine_bit(i)) && lists_y(g, i, j, y))
                lists[i] |= engine_bit(j);
    }
    for (uint32_t i = 0; i < g->config.members; i++)
        if ((owners & engine_bit(i)) && (all & ~lists[i]) == 0)
            full |= engine_bit(i);
    /* Everybody's vector, if t of them have it. */
    if (!cohort_changes(g) || engine_count(full) >= g->config.threshold)
        return full;
    return owners & cohort_agreeing(g, all, owners, lists, turn);
}

/* The one share of each member that a certificate of U allows: of b if it is in
 * U, of msk if not, never both. */
bool survivors_release(struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V], *u = &g->agree[WIRE_U];
    struct wire_message m = {.type = WIRE_UNMASK}, said;
    struct mail *mail = &g->unmask_mail[g->config.self];
    uint64_t reveals;

    if (!u->certified || g->unmask_sent || !round_v_is_ours(g) ||
        memcmp(u->value.hash_v, v->hash, GOSSIP_HASH_BYTES) != 0 ||
        memcmp(u->value.state, g->state_hash, GOSSIP_HASH_BYTES) != 0 ||
        (v->value.members & ~g->have_shares) != 0 ||
        !cohort_may_try(g, u->value.members))
        return false;
    reveals = cohort_revealed(g, u->value.members);
    if (reveals & ~cohort_revealed(g, 0))
        mail_note(g, GOSSIP_NOTE_REVEALS, reveals, 0, NULL);
    g->unmask_sent = true;
    cohort_bind(g, u->value.members, &u->cert);
    memcpy(m.unmask.cert, u->hash, GOSSIP_HASH_BYTES);
    m.unmask.members = v->value.members;
    for (uint32_t j = 0; j < g->config.members; j++)
        if (v->value.members & engine_bit(j))
            memcpy(m.unmask.shares[j],
                   g->shares[j] +
                       (u->value.members & engine_bit(j) ? 0 : SHAMIR_BYTES),
                   SHAMIR_BYTES);
    mail_write(g, mail, &m);
    wire_parse(&said, mail->bytes, mail->size, g->config.members);
    survivors_receive_unmask(g, &said, mail->bytes, mail->size);
    sodium_memzero(&m, sizeof m);
    sodium_memzero(&said, sizeof said);
    record_promise(g);
    mail_send_all(g, &u->cert);
    mail_send_all(g, mail);
    mail_note(g, GOSSIP_NOTE_UNMASK, 0, 0, NULL);
    return true;
}

void survivors_receive_unmask(struct gossip *g, const struct wire_message *m,
                              const uint8_t *head, size_t size)
{
    if (g->have_unmasks & engine_bit(m->sender))
        return;
    g->unmasks[m->sender] = *m;
    if (head != g->unmask_mail[m->sender].bytes)
        mail_keep(&g->unmask_mail[m->sender], head, size);
    g->have_unmasks |= engine_bit(m->sender);
}
