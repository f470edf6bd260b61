#include "gossip/evidence.h"

#include <string.h>

#include "gossip/mail.h"
#include "gossip/pack.h"
#include "gossip/record.h"

/* Types of which a member signs one an attempt, a ballot or a slice. */
static bool is_once(enum wire_type type)
{
    switch (type) {
    case WIRE_KEYS:
    case WIRE_ACK:
    case WIRE_PROPOSE:
    case WIRE_PREPARE:
    case WIRE_COMMIT:
    case WIRE_Y:
    case WIRE_RECV:
    case WIRE_UNMASK:
    case WIRE_SUM:
    case WIRE_CHECK:
        return true;
    default:
        return false;
    }
}

static bool same_place(const struct wire_message *a,
                       const struct wire_message *b)
{
    if (a->type != b->type || a->sender != b->sender || a->round != b->round ||
        a->attempt != b->attempt || !is_once(a->type))
        return false;
    switch (a->type) {
    case WIRE_PREPARE:
    case WIRE_COMMIT:
        return a->vote.kind == b->vote.kind && a->vote.ballot == b->vote.ballot;
    case WIRE_PROPOSE:
        return a->propose.kind == b->propose.kind &&
               a->propose.ballot == b->propose.ballot;
    case WIRE_SUM:
        return a->sum.slice == b->sum.slice &&
               memcmp(a->sum.cert, b->sum.cert, GOSSIP_HASH_BYTES) == 0;
    default:
        return true;
    }
}

static bool same_body(const struct wire_message *a,
                      const struct wire_message *b)
{
    return a->body_size == b->body_size &&
           memcmp(a->body, b->body, a->body_size) == 0;
}

bool evidence_contradicts(const struct gossip *g, const uint8_t *first,
                          size_t first_size, const uint8_t *second,
                          size_t second_size)
{
    struct wire_message a, b;

    return wire_parse(&a, first, first_size, g->config.members) == 0 &&
           wire_parse(&b, second, second_size, g->config.members) == 0 &&
           same_place(&a, &b) && !same_body(&a, &b) &&
           mail_verify(g, &a) == 0 && mail_verify(g, &b) == 0;
}

static void keep(struct gossip *g, uint32_t member, const uint8_t *first,
                 size_t first_size, const uint8_t *second, size_t second_size)
{
    if (g->accused & engine_bit(member))
        return; /* one case a member is enough */
    mail_keep(&g->evidence[member].first, first, first_size);
    g->evidence[member].second.size = 0;
    if (second_size > 0)
        mail_keep(&g->evidence[member].second, second, second_size);
    if (g->evidence[member].first.size == 0)
        return;
    g->accused |= engine_bit(member);
    record_evidence(g);
}

void evidence_two(struct gossip *g, const struct mail *kept,
                  const uint8_t *head, size_t size)
{
    struct mail other = {.size = size, .capacity = size};
    struct wire_message m;
    bool known;

    if (kept->size == 0 || size > kept->capacity ||
        !evidence_contradicts(g, kept->bytes, kept->size, head, size) ||
        wire_parse(&m, head, size, g->config.members) != 0)
        return;
    known = (g->accused & engine_bit(m.sender)) != 0;
    keep(g, m.sender, kept->bytes, kept->size, head, size);
    if (known && m.type != WIRE_KEYS)
        return;
    mail_note(g, GOSSIP_NOTE_EQUIVOCATED, engine_bit(m.sender), m.type,
              wire_name(m.type));
    other.bytes = effects_take(&g->effects, size);
    if (other.bytes == NULL)
        return;
    memcpy(other.bytes, head, size);
    mail_send_all(g, kept);
    mail_send_all(g, &other);
}

void evidence_false(struct gossip *g, uint32_t member, uint32_t slice,
                    const uint8_t *head, size_t size)
{
    if (g->check->lied & engine_bit(member))
        return;
    g->check->lied |= engine_bit(member);
    mail_note(g, GOSSIP_NOTE_LIED, engine_bit(member), slice, NULL);
    keep(g, member, head, size, NULL, 0);
}

/* Votes are kept without their heads: written again, they are the same. */
static void compare_vote(struct gossip *g, const struct wire_message *m,
                         const uint8_t *head, size_t size)
{
    const struct agree *a = &g->agree[m->vote.kind];
    const struct vote *vote = m->type == WIRE_PREPARE ? &a->prepares[m->sender]
                                                      : &a->commits[m->sender];
    struct wire_message was = {.type = m->type,
                               .round = m->round,
                               .attempt = m->attempt,
                               .sender = m->sender};
    uint8_t body[256], bytes[512];
    size_t body_size;
    struct mail kept = {.capacity = sizeof bytes, .bytes = bytes};

    if (!vote->cast || vote->ballot != m->vote.ballot ||
        memcmp(vote->value, m->vote.value, GOSSIP_HASH_BYTES) == 0)
        return;
    was.vote.kind = m->vote.kind;
    was.vote.ballot = vote->ballot;
    memcpy(was.vote.value, vote->value, GOSSIP_HASH_BYTES);
    if (pack_body(body, sizeof body, &body_size, &was) != 0 ||
        pack_head(bytes, sizeof bytes, &kept.size, &was, body, body_size,
                  vote->signature) != 0)
        return;
    evidence_two(g, &kept, head, size);
}

void evidence_quorum(struct gossip *g, const struct wire_message *m,
                     enum wire_type type)
{
    const struct wire_quorum *quorum = &m->propose.quorum;
    struct wire_message vote = {
        .type = type, .round = m->round, .attempt = m->attempt};
    uint8_t body[256], head[512];
    size_t size;

    if (m->round != g->round || m->attempt != g->attempt)
        return;
    vote.vote.kind = m->propose.kind;
    vote.vote.ballot = quorum->ballot;
    wire_value_hash(vote.vote.value, &m->propose.value);
    if (pack_body(body, sizeof body, &vote.body_size, &vote) != 0)
        return;
    for (uint32_t j = 0; j < g->config.members; j++) {
        vote.sender = j;
        if ((quorum->members & engine_bit(j)) &&
            pack_head(head, sizeof head, &size, &vote, body, vote.body_size,
                      quorum->signatures[j]) == 0)
            compare_vote(g, &vote, head, size);
    }
}

void evidence_compare(struct gossip *g, const struct wire_message *m,
                      const uint8_t *head, size_t size)
{
    const struct mail *kept = NULL;
    uint32_t j = m->sender;

    if (m->round != g->round || m->attempt != g->attempt)
        return;
    switch (m->type) {
    case WIRE_ACK:
        kept = &g->acks_mail[j];
        break;
    case WIRE_Y:
        kept = &g->y_mail[j];
        break;
    case WIRE_RECV:
        kept = &g->recv_mail[j];
        break;
    case WIRE_UNMASK:
        kept = &g->unmask_mail[j];
        break;
    case WIRE_CHECK:
        kept = &g->check_mail[j];
        break;
    case WIRE_SUM:
        kept = &g->open.sums[m->sum.slice];
        break;
    case WIRE_PROPOSE:
        kept = &g->agree[m->propose.kind].proposal_mail;
        break;
    case WIRE_PREPARE:
    case WIRE_COMMIT:
        compare_vote(g, m, head, size);
        return;
    default:
        return;
    }
    evidence_two(g, kept, head, size);
}
