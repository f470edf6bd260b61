#include "sim/adversary.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/tree.h"
#include "gossip/pack.h"
#include "node/member.h"
#include "sim/deceit.h"

enum {
    LETTERS_MAX = 24,
    ROUNDS_FROM = 3,
    DECEITS_EACH = 4,
    HEAR_EACH = 4,
    LANE_MIN = 2 /* bytes */
};

struct letter {
    struct adversary_letter letter;
    uint8_t *bytes; /* [capacity] */
    size_t capacity;
};

struct adversary {
    struct adversary_config config;
    struct gossip_config context; /* for ctx: network, roster, charter */
    struct identity identities[GOSSIP_MEMBERS_MAX];
    struct deceit_habit habits[GOSSIP_MEMBERS_MAX][ADVERSARY_DECEITS];
    struct deceit_mind mind;
    struct letter letters[LETTERS_MAX];
    size_t letter_count;
    bool altered;
    struct adversary_vector vector;
    struct wire_message message, beside[DECEIT_BESIDE_MAX];
    uint8_t *body; /* [body_capacity], of the message being falsified */
    size_t body_capacity;
    uint8_t packed[GOSSIP_HEAD_MAX], head[GOSSIP_HEAD_MAX];
};

static void *sized(void *bytes, size_t *capacity, size_t size)
{
    if (size <= *capacity)
        return bytes;
    bytes = realloc(bytes, size);
    if (bytes == NULL)
        abort(); /* a simulation has nobody to tell */
    *capacity = size;
    return bytes;
}

static uint64_t all_of(uint32_t members)
{
    return members == 64 ? UINT64_MAX : (UINT64_C(1) << members) - 1;
}

static struct prg prg_of(const char *what, uint64_t seed)
{
    uint8_t key[PRG_SEED_BYTES] = {0};
    struct prg prg;

    strncpy((char *)key, what, 23);
    for (int i = 0; i < 8; i++)
        key[24 + i] = (uint8_t)(seed >> 8 * i);
    prg_seed(&prg, key);
    return prg;
}

/* Some deceits only make sense in one way. */
static void settle(struct deceit_habit *h, enum adversary_deceit deceit,
                   uint64_t all)
{
    switch (deceit) {
    case ADVERSARY_OTHER_Y:
    case ADVERSARY_SILENT:
        h->victims = all;
        h->percent = 100;
        break;
    case ADVERSARY_STATE:
    case ADVERSARY_WANT:
        h->percent = 5; /* of many */
        break;
    case ADVERSARY_DONE:
    case ADVERSARY_REPLAY:
    case ADVERSARY_GARBAGE:
        h->percent = h->percent < 20 ? h->percent : 20;
        break;
    default:
        break;
    }
}

static void draw_habit(struct deceit_habit *h, struct prg *prg,
                       enum adversary_deceit deceit, uint32_t members)
{
    static const uint32_t percents[] = {100, 100, 50, 10};
    const uint64_t all = all_of(members);

    h->percent = percents[prg_below(prg, 4)];
    h->victims = prg_below(prg, 3) == 0 ? all : prg_below(prg, UINT64_MAX);
    h->victims &= all;
    h->types = UINT64_MAX;
    if (deceit == ADVERSARY_WITHHOLD || deceit == ADVERSARY_DELAY)
        h->types = prg_below(prg, UINT64_MAX);
    h->from_round = prg_below(prg, ROUNDS_FROM);
    h->salt = prg_below(prg, UINT64_MAX);
    settle(h, deceit, all);
}

struct adversary *adversary_new(const struct adversary_config *config)
{
    struct adversary *a = calloc(1, sizeof *a);
    struct prg prg = prg_of("starling habits", config->seed);
    uint32_t members = config->study->site_count;

    if (a == NULL)
        return NULL;
    a->config = *config;
    a->mind.members = members;
    a->mind.threshold = config->study->threshold;
    a->mind.prg = prg_of("starling lies", config->seed);
    a->mind.state_size = 64;
    member_bind(&a->context, config->study);
    for (uint32_t i = 0; i < members; i++)
        for (int d = 0; d < ADVERSARY_DECEITS; d++)
            draw_habit(&a->habits[i][d], &prg, (enum adversary_deceit)d,
                       members);
    return a;
}

void adversary_free(struct adversary *a)
{
    if (a == NULL)
        return;
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++) {
        identity_wipe(&a->identities[i]);
        free(a->mind.liars[i].slice);
    }
    for (size_t i = 0; i < DECEIT_HEARD; i++)
        free(a->mind.heard[i].bytes);
    for (size_t i = 0; i < LETTERS_MAX; i++)
        free(a->letters[i].bytes);
    free(a->body);
    free(a);
}

void adversary_enlist(struct adversary *a, uint32_t liar,
                      const struct identity *identity)
{
    a->identities[liar] = *identity;
}

static void remember(struct deceit_mind *mind, const uint8_t *head,
                     size_t head_size, const uint8_t *body, size_t body_size)
{
    struct deceit_memory *m = &mind->heard[mind->heard_count++ % DECEIT_HEARD];

    m->bytes = sized(m->bytes, &m->capacity, head_size + body_size);
    memcpy(m->bytes, head, head_size);
    if (body_size > 0)
        memcpy(m->bytes + head_size, body, body_size);
    m->head_size = head_size;
    m->body_size = body_size;
}

void adversary_hear(struct adversary *a, const struct wire_message *m,
                    const uint8_t *head, size_t head_size, const uint8_t *body,
                    size_t body_size)
{
    if (m->type == WIRE_PROPOSE)
        deceit_learn(&a->mind, m);
    if (m->type == WIRE_STATE)
        a->mind.state_size = body_size;
    if (prg_below(&a->mind.prg, HEAR_EACH) == 0)
        remember(&a->mind, head, head_size, body, body_size);
}

/* Bytes of the first slice: as many as its hash says, no more than a mean slice
 * of those that stand there. */
static size_t first_size(const struct wire_message *m, const uint8_t *body,
                         size_t body_size)
{
    const uint32_t owner = (uint32_t)__builtin_ctzll(m->y.members);
    size_t size = body_size / (size_t)__builtin_popcountll(m->parts);
    uint8_t hash[GOSSIP_HASH_BYTES];

    for (size -= size % LANE_MIN; size > 0; size -= LANE_MIN) {
        tree_hash(hash, body, size);
        if (memcmp(hash, m->y.slices[owner], sizeof hash) == 0)
            break;
    }
    return size;
}

static void keep_first(struct deceit_liar *l, const struct wire_message *m,
                       const uint8_t *body, size_t body_size)
{
    size_t capacity = l->slice_size;

    l->slice_size = first_size(m, body, body_size);
    l->slice = sized(l->slice, &capacity, l->slice_size + 1);
    memcpy(l->slice, body, l->slice_size);
    l->round = m->round;
    l->attempt = m->attempt;
    memcpy(l->hash_v, m->y.hash_v, GOSSIP_HASH_BYTES);
}

void adversary_watch(struct adversary *a, uint32_t liar,
                     const struct gossip_effect *effects, size_t count)
{
    struct wire_message *m = &a->message;

    for (size_t k = 0; k < count; k++) {
        const struct gossip_effect *e = &effects[k];
        if (e->kind != GOSSIP_SEND || e->send.type != WIRE_Y ||
            wire_parse(m, e->send.head, e->send.head_size, a->mind.members) !=
                0 ||
            m->sender != liar || (m->parts & 1) == 0)
            continue;
        keep_first(&a->mind.liars[liar], m, e->send.body, e->send.body_size);
        return;
    }
}

static struct adversary_letter *write(struct adversary *a, uint32_t from,
                                      uint32_t to, const uint8_t *head,
                                      size_t head_size, const uint8_t *body,
                                      size_t body_size)
{
    if (a->letter_count == LETTERS_MAX)
        return NULL;
    struct letter *l = &a->letters[a->letter_count++];
    l->bytes = sized(l->bytes, &l->capacity, head_size + body_size);
    memcpy(l->bytes, head, head_size);
    if (body_size > 0)
        memcpy(l->bytes + head_size, body, body_size);
    l->letter = (struct adversary_letter){.from = from,
                                          .to = to,
                                          .head = l->bytes,
                                          .head_size = head_size,
                                          .body = l->bytes + head_size,
                                          .body_size = body_size};
    return &l->letter;
}

/* Signs *m with the liar's key into a->head. 0: there is no such message. */
static size_t sign(struct adversary *a, uint32_t liar, struct wire_message *m)
{
    uint8_t ctx[GOSSIP_HASH_BYTES] = {0}, covered[WIRE_SIGNED_BYTES];
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    size_t body_size, size;

    m->sender = liar;
    if (m->type != WIRE_HELLO)
        wire_ctx(ctx, &a->context, m->round, m->attempt);
    if (pack_body(a->packed, sizeof a->packed, &body_size, m) != 0)
        return 0;
    wire_signed(covered, ctx, liar, a->packed, body_size);
    identity_sign(signature, wire_domain(m->type), covered, sizeof covered,
                  a->identities[liar].sign_secret);
    if (pack_head(a->head, sizeof a->head, &size, m, a->packed, body_size,
                  signature) != 0)
        return 0;
    return size;
}

static void damage(struct adversary *a, struct adversary_letter *l)
{
    uint8_t *bytes = a->letters[a->letter_count - 1].bytes;
    struct prg *prg = &a->mind.prg;

    bytes[prg_below(prg, l->head_size + l->body_size)] ^=
        (uint8_t)(1 << prg_below(prg, 8));
    if (prg_below(prg, 4) == 0)
        l->body_size = prg_below(prg, l->body_size + 1);
    if (prg_below(prg, 4) == 0 && l->body_size == 0)
        l->head_size = 1 + prg_below(prg, l->head_size);
}

static void write_beside(struct adversary *a, const struct deceit_case *c,
                         const char *lie)
{
    for (size_t k = 0; k < c->beside_count; k++) {
        struct wire_message *m = &a->beside[k];
        bool has_body = m->type == WIRE_STATE;
        size_t size = sign(a, c->liar, m);
        struct adversary_letter *l =
            size == 0 ? NULL
                      : write(a, c->liar, c->to, a->head, size,
                              has_body ? c->beside_body : NULL,
                              has_body ? c->beside_body_size : 0);
        if (l != NULL)
            l->lie = lie;
    }
}

static void write_replays(struct adversary *a, const struct deceit_case *c,
                          const char *lie)
{
    const struct deceit_mind *mind = &a->mind;
    size_t count =
        mind->heard_count < DECEIT_HEARD ? mind->heard_count : DECEIT_HEARD;

    for (size_t k = 0; k < c->replays && count > 0; k++) {
        const struct deceit_memory *m =
            &mind->heard[prg_below(&a->mind.prg, count)];
        struct adversary_letter *l =
            write(a, c->liar, c->to, m->bytes, m->head_size,
                  m->bytes + m->head_size, m->body_size);
        if (l != NULL)
            l->lie = lie;
    }
}

static uint32_t link_of(struct adversary *a, const struct deceit_case *c)
{
    uint64_t others = a->config.liars & ~(UINT64_C(1) << c->to);
    uint64_t skip;

    if (!c->proxy || others == 0)
        return c->liar;
    skip = prg_below(&a->mind.prg, (uint64_t)__builtin_popcountll(others));
    for (; skip > 0; skip--)
        others &= others - 1;
    return (uint32_t)__builtin_ctzll(others);
}

static void note_vector(struct adversary *a, const struct deceit_case *c)
{
    struct wire_message read;

    if (c->delta == 0 ||
        wire_parse(&read, a->head, a->letters[0].letter.head_size,
                   a->mind.members) != 0)
        return;
    a->altered = true;
    a->vector = (struct adversary_vector){
        .member = c->liar, .round = c->m->round, .delta = c->delta};
    wire_hash(a->vector.hash, read.body, read.body_size);
}

static void write_message(struct adversary *a, struct deceit_case *c,
                          const struct gossip_effect *e, const char *lie)
{
    size_t size = e->send.head_size;
    const uint8_t *head = e->send.head;

    if (c->withheld)
        return;
    if (c->changed && (size = sign(a, c->liar, c->m)) > 0)
        head = a->head;
    if (size == 0)
        return;
    struct adversary_letter *l =
        write(a, link_of(a, c), c->to, head, size, c->body, c->body_size);
    if (l == NULL)
        return;
    l->lie = lie;
    l->delay_ms = c->delay_ms;
    if (c->changed)
        note_vector(a, c);
    if (c->damaged)
        damage(a, l);
}

size_t adversary_send(struct adversary *a, uint32_t liar,
                      const struct gossip_effect *e,
                      const struct wire_message *m)
{
    struct deceit_case c = {.mind = &a->mind,
                            .liar = liar,
                            .to = e->send.to,
                            .m = &a->message,
                            .body_size = e->send.body_size,
                            .beside = a->beside};
    const char *lie = NULL;

    a->letter_count = 0;
    a->altered = false;
    a->message = *m;
    a->body = sized(a->body, &a->body_capacity, c.body_size + 1);
    if (c.body_size > 0)
        memcpy(a->body, e->send.body, c.body_size);
    c.body = a->body;
    if (m->type == WIRE_PROPOSE)
        deceit_learn(&a->mind, m);
    for (int d = 0; d < ADVERSARY_DECEITS; d++) {
        c.habit = &a->habits[liar][d];
        if ((a->config.deceits[liar] >> d & 1) &&
            deceit_practise((enum adversary_deceit)d, &c))
            lie = deceit_name((enum adversary_deceit)d);
    }
    write_message(a, &c, e, lie);
    write_beside(a, &c, lie);
    write_replays(a, &c, lie);
    if (prg_below(&a->mind.prg, HEAR_EACH) == 0)
        remember(&a->mind, e->send.head, e->send.head_size, e->send.body,
                 e->send.body_size);
    return a->letter_count;
}

const struct adversary_letter *adversary_letter(const struct adversary *a,
                                                size_t index)
{
    assert(index < a->letter_count);
    return &a->letters[index].letter;
}

bool adversary_altered(const struct adversary *a,
                       struct adversary_vector *vector)
{
    *vector = a->vector;
    return a->altered;
}

void adversary_draw(struct adversary_config *config, uint32_t members,
                    uint32_t colluders)
{
    struct prg prg = prg_of("starling siege", config->seed);
    uint64_t count = prg_below(&prg, colluders + 1);

    config->liars = 0;
    memset(config->deceits, 0, sizeof config->deceits);
    while ((uint64_t)__builtin_popcountll(config->liars) < count)
        config->liars |= UINT64_C(1) << prg_below(&prg, members);
    for (uint32_t i = 0; i < members; i++) {
        if ((config->liars >> i & 1) == 0)
            continue;
        for (uint64_t k = 1 + prg_below(&prg, DECEITS_EACH); k > 0; k--)
            config->deceits[i] |= UINT64_C(1)
                                  << prg_below(&prg, ADVERSARY_DECEITS);
    }
}
