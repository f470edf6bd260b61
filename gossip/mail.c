#include "gossip/mail.h"

#include <assert.h>
#include <string.h>

#include "gossip/pack.h"

static void ctx_of(uint8_t ctx[GOSSIP_HASH_BYTES], const struct gossip *g,
                   const struct wire_message *m)
{
    if (m->type == WIRE_HELLO)
        memset(ctx, 0, GOSSIP_HASH_BYTES);
    else if (m->round == g->ctx_round && m->attempt == g->ctx_attempt)
        memcpy(ctx, g->ctx, GOSSIP_HASH_BYTES);
    else
        wire_ctx(ctx, &g->config, m->round, m->attempt);
}

static size_t encode(struct gossip *g, uint8_t *out, size_t capacity,
                     struct wire_message *m)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES], ctx[GOSSIP_HASH_BYTES];
    uint8_t covered[WIRE_SIGNED_BYTES];
    size_t body_size, size;
    uint8_t *body = effects_take(&g->effects, capacity);

    if (body == NULL)
        return 0;
    m->sender = g->config.self;
    int status = pack_body(body, capacity, &body_size, m);
    assert(status == 0);
    ctx_of(ctx, g, m);
    wire_signed(covered, ctx, m->sender, body, body_size);
    identity_sign(signature, wire_domain(m->type), covered, sizeof covered,
                  g->config.sign_secret);
    status = pack_head(out, capacity, &size, m, body, body_size, signature);
    assert(status == 0);
    effects_trim(&g->effects, body, 0);
    return size;
}

void mail_write_at(struct gossip *g, struct mail *mail, struct wire_message *m)
{
    mail->size = encode(g, mail->bytes, mail->capacity, m);
    assert(mail->size > 0);
}

void mail_write(struct gossip *g, struct mail *mail, struct wire_message *m)
{
    m->round = g->round;
    m->attempt = g->attempt;
    mail_write_at(g, mail, m);
}

void mail_keep(struct mail *mail, const uint8_t *head, size_t size)
{
    if (size > mail->capacity) { /* cannot be relayed, all else works */
        mail->size = 0;
        return;
    }
    memcpy(mail->bytes, head, size);
    mail->size = size;
}

static enum wire_type type_of(const uint8_t *head)
{
    /* [array, version, type or cf + 8 bytes]: our own encoding or a parsed
     * peer's; only traces read it. */
    size_t at = head[1] == 0xcf ? 10 : 2;
    uint8_t tag = head[at];

    if (tag < 0xcc || tag > 0xcf)
        return (enum wire_type)tag;
    return (enum wire_type)head[at + ((size_t)1 << (tag - 0xcc))];
}

static void send(struct gossip *g, uint32_t to, uint8_t *head, size_t size,
                 const void *body, size_t body_size)
{
    struct gossip_effect *effect = effects_add(&g->effects, GOSSIP_SEND);

    if (effect == NULL)
        return;
    effect->send.to = to;
    effect->send.type = (uint8_t)type_of(head);
    effect->send.head = head;
    effect->send.head_size = size;
    effect->send.body = body;
    effect->send.body_size = body_size;
    g->bytes_sent += size + body_size;
}

void mail_send(struct gossip *g, uint32_t to, const struct mail *mail,
               const void *body, size_t body_size)
{
    if (mail->size == 0 || to == g->config.self)
        return;
    uint8_t *head = effects_take(&g->effects, mail->size);
    if (head == NULL)
        return;
    memcpy(head, mail->bytes, mail->size);
    send(g, to, head, mail->size, body, body_size);
}

void mail_send_all(struct gossip *g, const struct mail *mail)
{
    uint8_t *head = NULL;

    if (mail->size == 0)
        return;
    head = effects_take(&g->effects, mail->size);
    if (head == NULL)
        return;
    memcpy(head, mail->bytes, mail->size);
    for (uint32_t j = 0; j < g->config.members; j++)
        if (j != g->config.self)
            send(g, j, head, mail->size, NULL, 0);
}

void mail_send_parts(struct gossip *g, uint32_t to, const struct mail *mail,
                     uint64_t parts, const void *body, size_t body_size)
{
    struct wire_message *m = NULL;
    size_t capacity = mail->size + 16, size;

    if (mail->size == 0)
        return;
    m = (struct wire_message *)(void *)effects_take(&g->effects, sizeof *m);
    uint8_t *head = effects_take(&g->effects, capacity);
    if (m == NULL || head == NULL)
        return;
    int status = wire_parse(m, mail->bytes, mail->size, g->config.members);
    assert(status == 0);
    m->parts = parts;
    status = pack_head(head, capacity, &size, m, m->body, m->body_size,
                       m->signature);
    assert(status == 0);
    send(g, to, head, size, body, body_size);
}

void mail_tell(struct gossip *g, uint32_t to, struct wire_message *m)
{
    enum { CAPACITY = 8192 };
    uint8_t *head = effects_take(&g->effects, CAPACITY);

    if (head == NULL)
        return;
    size_t size = encode(g, head, CAPACITY, m);
    effects_trim(&g->effects, head, size);
    if (size > 0 && to != g->config.self)
        send(g, to, head, size, NULL, 0);
}

int mail_verify(const struct gossip *g, const struct wire_message *m)
{
    uint8_t ctx[GOSSIP_HASH_BYTES], covered[WIRE_SIGNED_BYTES];

    ctx_of(ctx, g, m);
    wire_signed(covered, ctx, m->sender, m->body, m->body_size);
    return g->config.verify(g->config.verify_context, m->signature,
                            wire_domain(m->type), covered, sizeof covered,
                            g->config.keys[m->sender]);
}

void mail_note(struct gossip *g, enum gossip_note code, uint64_t members,
               uint64_t detail, const char *text)
{
    /* What is promised to be said before it happens is never left out. */
    struct gossip_effect *effect =
        code == GOSSIP_NOTE_REVEALS ? effects_insist(&g->effects, GOSSIP_NOTE)
                                    : effects_add(&g->effects, GOSSIP_NOTE);

    if (effect == NULL)
        return;
    effect->note.code = code;
    effect->note.round = g->round;
    effect->note.attempt = g->attempt;
    effect->note.members = members;
    effect->note.detail = detail;
    effect->note.text = text;
}
