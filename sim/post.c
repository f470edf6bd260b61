#include "sim/post.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/pack.h"

/* One message on one link. */
struct leaving {
    uint32_t from, to;
    const uint8_t *head, *body;
    size_t head_size, body_size;
    uint64_t delay_ms;
    const char *lie; /* or NULL */
};

/* One step sends the same head to many. */
const struct wire_message *post_parsed(struct world *w,
                                       const struct gossip_effect *e)
{
    if (w->parsed_head != e->send.head) {
        int status = wire_parse(&w->parsed, e->send.head, e->send.head_size,
                                w->study.site_count);
        /* an engine that sends what it would refuse, or no longer has */
        assert(status == 0 && w->parsed.type == e->send.type);
        w->parsed_head = e->send.head;
    }
    return &w->parsed;
}

static bool is_dropped(const struct world *w, uint32_t from, uint32_t to,
                       const struct wire_message *m)
{
    for (size_t i = 0; i < w->config.drop_count; i++) {
        const struct world_drop *d = &w->config.drops[i];
        bool vote = m->type == WIRE_PREPARE || m->type == WIRE_COMMIT;
        uint32_t ballot = vote ? m->vote.ballot : m->propose.ballot;
        enum wire_kind kind = vote ? m->vote.kind : m->propose.kind;
        bool agrees = vote || m->type == WIRE_PROPOSE;
        if ((d->from >> from & 1) && (d->to >> to & 1) &&
            (d->types >> m->type & 1) && w->now_ms < d->until_ms &&
            (d->round == WORLD_ANY || d->round == m->round) &&
            (d->attempt == WORLD_ANY || d->attempt == m->attempt) &&
            (!agrees || d->ballot == WORLD_ANY || d->ballot == ballot) &&
            (!agrees || d->kind == WORLD_ANY || d->kind == kind))
            return true;
    }
    return false;
}

static void put(struct world *w, const struct leaving *p,
                const struct network_fate *fate)
{
    for (uint32_t k = 0; k < fate->arrivals; k++) {
        struct queue_item item = {.at_ms = fate->at_ms[k] + p->delay_ms,
                                  .kind = QUEUE_MESSAGE,
                                  .member = p->to,
                                  .from = p->from,
                                  .departs_us = fate->departs_us,
                                  .head_size = p->head_size,
                                  .body_size = p->body_size};
        item.head = malloc(item.head_size + item.body_size);
        if (item.head == NULL)
            abort();
        memcpy(item.head, p->head, item.head_size);
        if (item.body_size > 0)
            memcpy(item.head + item.head_size, p->body, item.body_size);
        queue_push(&w->queue, item);
    }
}

static void search(struct world *w, uint32_t from, const struct wire_message *m,
                   const struct gossip_effect *e)
{
    const char *found = canary_find(w->canary, e->send.head, e->send.head_size);

    /* What SUM, STATE and SETTLED carry is public. */
    if (found == NULL && m->type != WIRE_SUM && m->type != WIRE_STATE &&
        m->type != WIRE_SETTLED)
        found = canary_find(w->canary, e->send.body, e->send.body_size);
    if (found != NULL)
        snprintf(w->violation, sizeof w->violation, "%s sent %s in the clear",
                 w->study.sites[from].name, found);
}

/* `m` is NULL for what is no message. */
static void leave(struct world *w, const struct leaving *p,
                  const struct wire_message *m)
{
    size_t size = p->head_size + p->body_size;
    struct network_fate fate;

    w->sites[p->from].bytes_sent += size;
    w->messages++;
    network_send(&w->network, &fate, p->from, p->to, size, w->now_ms);
    if (m != NULL && is_dropped(w, p->from, p->to, m))
        fate.arrivals = 0;
    if (p->lie != NULL)
        trace_lie(&w->trace, p->from, p->to, m, p->lie);
    else if (fate.arrivals != 1)
        trace_message(&w->trace, p->from, "->", p->to, m,
                      fate.arrivals == 0 ? " lost" : " twice");
    else if (w->config.story)
        trace_sent(&w->trace, p->from, p->to, m);
    put(w, p, &fate);
}

static void cover(uint8_t covered[WIRE_SIGNED_BYTES], const struct world *w,
                  const struct wire_message *m)
{
    uint8_t ctx[GOSSIP_HASH_BYTES] = {0};

    if (m->type != WIRE_HELLO)
        wire_ctx(ctx, &w->context, m->round, m->attempt);
    wire_signed(covered, ctx, m->sender, m->body, m->body_size);
}

static int verify(struct world *w, const struct wire_message *m)
{
    uint8_t covered[WIRE_SIGNED_BYTES];

    cover(covered, w, m);
    return signatures_verify(w->signatures, m->signature, wire_domain(m->type),
                             covered, sizeof covered,
                             w->study.sites[m->sender].key.sign);
}

/* An engine's own signature need not be checked: most messages are WANTs, for
 * one receiver each. */
static void know(struct world *w, const struct wire_message *m)
{
    uint8_t covered[WIRE_SIGNED_BYTES];

    cover(covered, w, m);
    signatures_know(w->signatures, m->signature, wire_domain(m->type), covered,
                    sizeof covered, w->study.sites[m->sender].key.sign);
}

/* The votes inside a message are their members' own. */
static bool votes_verify(struct world *w, const struct wire_message *m)
{
    const struct wire_quorum *q = &m->propose.quorum;
    struct wire_message vote = {.type = m->type == WIRE_CERT ? WIRE_COMMIT
                                                             : WIRE_PREPARE,
                                .round = m->round,
                                .attempt = m->attempt};
    uint8_t body[256];

    vote.vote.kind = m->propose.kind;
    vote.vote.ballot = q->ballot;
    wire_value_hash(vote.vote.value, &m->propose.value);
    if (pack_body(body, sizeof body, &vote.body_size, &vote) != 0)
        return false;
    vote.body = body;
    for (uint32_t j = 0; j < w->study.site_count; j++) {
        vote.sender = j;
        vote.signature = q->signatures[j];
        if ((q->members >> j & 1) && verify(w, &vote) != 0)
            return false;
    }
    return true;
}

/* The checkers take everybody at its word: only what will be believed. */
static void check_lie(struct world *w, const struct leaving *p,
                      const struct wire_message *m)
{
    bool quorum =
        m->type == WIRE_PROPOSE || m->type == WIRE_LOCK || m->type == WIRE_CERT;

    if (verify(w, m) == 0 && (!quorum || votes_verify(w, m)))
        check_sent(w->check, p->from, m, p->body, p->body_size);
}

static void send_lies(struct world *w, uint32_t from,
                      const struct gossip_effect *e)
{
    size_t count = adversary_send(w->adversary, from, e, post_parsed(w, e));
    struct adversary_vector vector;

    if (adversary_altered(w->adversary, &vector))
        check_altered(w->check, vector.member, vector.round, vector.hash,
                      vector.delta);
    for (size_t k = 0; k < count; k++) {
        const struct adversary_letter *l = adversary_letter(w->adversary, k);
        struct leaving p = {l->from,      l->to,        l->head,     l->body,
                            l->head_size, l->body_size, l->delay_ms, l->lie};
        bool parses = wire_parse(&w->lie, l->head, l->head_size,
                                 w->study.site_count) == 0;
        if (parses)
            check_lie(w, &p, &w->lie);
        w->lies += l->lie != NULL;
        leave(w, &p, parses ? &w->lie : NULL);
    }
}

void post_send(struct world *w, uint32_t from, const struct gossip_effect *e)
{
    struct leaving p = {.from = from,
                        .to = e->send.to,
                        .head = e->send.head,
                        .body = e->send.body,
                        .head_size = e->send.head_size,
                        .body_size = e->send.body_size};

    if (w->config.liars >> from & 1) {
        send_lies(w, from, e);
        return;
    }
    bool first = w->parsed_head != e->send.head;
    const struct wire_message *m = post_parsed(w, e);
    if (first && m->sender == from)
        know(w, m);
    if (w->config.liars >> m->sender & 1) /* passed on, perhaps as evidence */
        check_lie(w, &p, m);
    else
        check_sent(w->check, from, m, e->send.body, e->send.body_size);
    if (w->canary != NULL)
        search(w, from, m, e);
    leave(w, &p, m);
}

void post_heard(struct world *w, const struct queue_item *item)
{
    if ((w->config.liars >> item->member & 1) == 0 ||
        wire_parse(&w->lie, item->head, item->head_size, w->study.site_count) !=
            0)
        return;
    adversary_hear(w->adversary, &w->lie, item->head, item->head_size,
                   item->head + item->head_size, item->body_size);
}

static uint8_t *copy_of(const struct rumour_letter *l)
{
    uint8_t *head = malloc(l->head_size + l->body_size);

    if (head == NULL)
        abort();
    memcpy(head, l->head, l->head_size);
    if (l->body_size > 0)
        memcpy(head + l->head_size, l->body, l->body_size);
    return head;
}

static void post_inside(struct world *w, uint32_t from,
                        const struct rumour_letter *l)
{
    struct network_fate fate;

    network_send(&w->network, &fate, from, l->to, l->head_size + l->body_size,
                 w->now_ms);
    for (uint32_t k = 0; k < fate.arrivals; k++)
        queue_push(&w->queue, (struct queue_item){.at_ms = fate.at_ms[k],
                                                  .kind = QUEUE_POST,
                                                  .member = l->to,
                                                  .from = from,
                                                  .pod = l->pod,
                                                  .head = copy_of(l),
                                                  .head_size = l->head_size,
                                                  .body_size = l->body_size});
}

static void post_outside(struct world *w, uint32_t from,
                         const struct rumour_letter *l)
{
    if (w->post_count == w->post_room) {
        w->post_room = 2 * w->post_room + 64;
        w->posts = realloc(w->posts, w->post_room * sizeof *w->posts);
        if (w->posts == NULL)
            abort();
    }
    w->posts[w->post_count++] = (struct world_post){.sent_ms = w->now_ms,
                                                    .pod = l->pod,
                                                    .to = l->to,
                                                    .from = from,
                                                    .head = copy_of(l),
                                                    .head_size = l->head_size,
                                                    .body_size = l->body_size};
}

/* mode exact: what a pod offers is its members' plain vectors, added up. */
static void check_offer(struct world *w, uint32_t from,
                        const struct rumour_letter *l)
{
    const size_t lanes = l->body_size / sizeof(uint64_t);
    struct mixwire m;
    uint64_t count;

    if (!w->study.exact || lanes == 0 ||
        mixwire_parse(&m, l->head, l->head_size) != 0 ||
        m.round >= w->round_count || w->rounds[m.round].survivors == 0)
        return;
    memcpy(&count, l->body + (lanes - 1) * sizeof count, sizeof count);
    check_offered(w->check, from, m.round, w->rounds[m.round].survivors,
                  l->body, lanes - 1, count);
}

static void post_one(struct world *w, uint32_t from,
                     const struct rumour_letter *l)
{
    w->sites[from].bytes_sent += l->head_size + l->body_size;
    w->messages++;
    w->lies += l->lie;
    trace_post(&w->trace, from, "->", l->pod, l->to, l->head, l->head_size,
               l->lie ? " lies" : "");
    if (podcheck_posted(w->podcheck, from, l->head, l->head_size, l->body,
                        l->body_size))
        check_offer(w, from, l);
    if (l->pod == w->study.pod)
        post_inside(w, from, l);
    else
        post_outside(w, from, l);
}

/* A vector of one member is in no message about pods. */
static void search_post(struct world *w, uint32_t from,
                        const struct rumour_letter *l)
{
    const char *found = canary_find(w->canary, l->head, l->head_size);

    if (found == NULL)
        found = canary_find(w->canary, l->body, l->body_size);
    if (found != NULL)
        snprintf(w->violation, sizeof w->violation, "%s sent %s out of its pod",
                 w->study.sites[from].name, found);
}

void post_pods(struct world *w, uint32_t from, const struct gossip_effect *e)
{
    struct rumour_letter post = {.pod = e->post.pod,
                                 .to = e->post.to,
                                 .head = e->post.head,
                                 .head_size = e->post.head_size,
                                 .body = e->post.body,
                                 .body_size = e->post.body_size};

    if (w->canary != NULL)
        search_post(w, from, &post);
    if (w->rumour == NULL || (w->config.liars >> from & 1) == 0) {
        post_one(w, from, &post);
        return;
    }
    size_t count = rumour_post(w->rumour, from, &post);
    for (size_t k = 0; k < count; k++)
        post_one(w, from, rumour_letter(w->rumour, k));
}
