/* What a hostile member can do in a pod: sign anything with its own key, say it
 * to whom it likes, repeat what it heard. And a watch over every message sent,
 * that nobody signs two different things where only one is allowed. */

#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include <stdio.h>

#include "gossip/pack.h"
#include "gossip/pod.h"

struct forged {
    uint8_t head[GOSSIP_HEAD_MAX];
    size_t size;
};

/* Signs *m as `sender` for the study of `config`. Round and attempt as in *m.
 */
static inline void forge_for(struct forged *f, const struct pod *p,
                             const struct gossip_config *config,
                             uint32_t sender, struct wire_message *m)
{
    static uint8_t body[GOSSIP_HEAD_MAX];
    uint8_t ctx[GOSSIP_HASH_BYTES] = {0}, covered[WIRE_SIGNED_BYTES];
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    size_t size;

    m->sender = sender;
    if (m->type != WIRE_HELLO)
        wire_ctx(ctx, config, m->round, m->attempt);
    if (pack_body(body, sizeof body, &size, m) != 0)
        abort();
    wire_signed(covered, ctx, sender, body, size);
    identity_sign(signature, wire_domain(m->type), covered, sizeof covered,
                  p->identities[sender].sign_secret);
    if (pack_head(f->head, sizeof f->head, &f->size, m, body, size,
                  signature) != 0)
        abort();
}

static inline void forge(struct forged *f, const struct pod *p, uint32_t sender,
                         struct wire_message *m)
{
    forge_for(f, p, &p->config, sender, m);
}

static inline void forge_deliver(struct pod *p, uint32_t from, uint32_t to,
                                 const uint8_t *head, size_t head_size,
                                 const uint8_t *body, size_t body_size)
{
    struct pod_message m = {.from = from, .to = to};

    m.head = pod_copy(head, head_size); /* exact sizes, for the sanitizers */
    m.body = pod_copy(body, body_size);
    m.head_size = head_size;
    m.body_size = body_size;
    pod_deliver(p, &m);
    free(m.head);
    free(m.body);
}

/* `sender` signs and says *m to `to`, over its own link. */
static inline void forge_say(struct pod *p, uint32_t sender, uint32_t to,
                             struct wire_message *m)
{
    static struct forged f;

    forge(&f, p, sender, m);
    forge_deliver(p, sender, to, f.head, f.size, NULL, 0);
}

/* One member's vote as it stands in a quorum. */
static inline void forge_vote(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                              const struct pod *p, uint32_t member,
                              enum wire_type type, uint64_t round,
                              uint64_t attempt, enum wire_kind kind,
                              uint32_t ballot, const struct wire_value *value)
{
    static struct forged f;
    static struct wire_message read;
    struct wire_message m = {.type = type, .round = round, .attempt = attempt};

    m.vote.kind = kind;
    m.vote.ballot = ballot;
    wire_value_hash(m.vote.value, value);
    forge(&f, p, member, &m);
    if (wire_parse(&read, f.head, f.size, p->members) != 0)
        abort();
    memcpy(signature, read.signature, IDENTITY_SIGNATURE_BYTES);
}

static inline void forge_quorum(struct wire_quorum *q, const struct pod *p,
                                enum wire_type type, uint64_t attempt,
                                uint32_t ballot, uint64_t members,
                                const struct wire_value *value)
{
    q->ballot = ballot;
    q->members = members;
    for (uint32_t j = 0; j < p->members; j++)
        if (members >> j & 1)
            forge_vote(q->signatures[j], p, j, type, 0, attempt, value->kind,
                       ballot, value);
}

/* Everything that was sent, in order, and the one thing each member signed. */
enum { WATCH_SAID = 16384, WATCH_HELD = 8192 };

struct watch {
    struct watch_said {
        uint32_t member;
        uint8_t type;
        uint64_t round, attempt, kind, ballot;
        uint8_t hash[GOSSIP_HASH_BYTES];
    } said[WATCH_SAID];
    size_t said_count, contradictions;
    uint64_t contradicted; /* types, as bits */
    uint64_t shares_b[64][POD_MAX], shares_mask[64][POD_MAX]; /* givers */
    struct pod_message held[WATCH_HELD]; /* copies, if `keep` */
    size_t held_count;
    bool keep;
    /* The test's own filter; false drops. */
    bool (*filter)(struct pod *, struct pod_message *);
    int number, count;
    uint32_t member;
    struct prg prg;
    void *more;
};

static inline struct watch *watch_of(struct pod *p)
{
    return p->context;
}

static inline void watch_once(struct watch *w, const struct wire_message *m)
{
    struct watch_said s = {.member = m->sender,
                           .type = (uint8_t)m->type,
                           .round = m->round,
                           .attempt = m->attempt};

    if (m->type == WIRE_PREPARE || m->type == WIRE_COMMIT) {
        s.kind = m->vote.kind;
        s.ballot = m->vote.ballot;
    }
    wire_hash(s.hash, m->body, m->body_size);
    for (size_t i = w->said_count; i-- > 0;) { /* mostly said again at once */
        const struct watch_said *o = &w->said[i];
        if (o->member != s.member || o->type != s.type || o->round != s.round ||
            o->attempt != s.attempt || o->kind != s.kind ||
            o->ballot != s.ballot)
            continue;
        if (memcmp(o->hash, s.hash, sizeof s.hash) != 0)
            w->contradictions++, w->contradicted |= UINT64_C(1) << s.type;
        return;
    }
    if (w->said_count == WATCH_SAID)
        abort();
    w->said[w->said_count++] = s;
}

static inline bool watch_filter(struct pod *p, struct pod_message *message)
{
    static struct wire_message m;
    struct watch *w = watch_of(p);

    if (wire_parse(&m, message->head, message->head_size, p->members) != 0 ||
        m.type != message->type)
        abort();
    switch (m.type) {
    case WIRE_KEYS:
    case WIRE_ACK:
    case WIRE_PREPARE:
    case WIRE_COMMIT:
    case WIRE_Y:
    case WIRE_RECV:
    case WIRE_UNMASK:
        watch_once(w, &m);
        break;
    default:
        break;
    }
    if (w->keep && w->held_count < WATCH_HELD) {
        struct pod_message *h = &w->held[w->held_count++];
        *h = *message;
        h->head = pod_copy(message->head, message->head_size);
        h->body = pod_copy(message->body, message->body_size);
    }
    return w->filter == NULL || w->filter(p, message);
}

static inline struct pod *watch_new(uint32_t members, uint32_t threshold,
                                    uint64_t rounds)
{
    struct pod *p = pod_new(members, threshold, rounds);

    p->context = calloc(1, sizeof(struct watch));
    if (p->context == NULL)
        abort();
    p->filter = watch_filter;
    return p;
}

static inline void watch_free(struct pod *p)
{
    struct watch *w = watch_of(p);

    for (size_t i = 0; i < w->held_count; i++) {
        free(w->held[i].head);
        free(w->held[i].body);
    }
    free(w);
    pod_free(p);
}

static inline uint64_t pod_dropped(const struct pod *p, uint32_t i)
{
    struct gossip_view view;

    gossip_view(p->engines[i], &view);
    return view.dropped;
}

/* Every member finished with the exact sums, and nobody contradicted itself. */
static inline bool pod_exact(struct pod *p, uint64_t rounds)
{
    bool good = true;

    for (uint32_t i = 0; i < p->members; i++) {
        good = good && p->done[i] && p->reason[i] == GOSSIP_FINISHED &&
               p->final[i].rounds_left == 0;
        for (size_t k = 0; k < POD_LENGTH && good; k++)
            good = p->final[i].sums[k] == pod_expected(p, rounds - 1, k);
        if (!good) {
            fprintf(stderr, "member %u: done %d reason %d at %llu ms\n", i,
                    p->done[i], (int)p->reason[i],
                    (unsigned long long)p->now_ms);
            return false;
        }
    }
    if (p->filter == watch_filter && watch_of(p)->contradictions != 0) {
        fprintf(stderr, "%zu contradictions\n", watch_of(p)->contradictions);
        return false;
    }
    return true;
}

#endif
