#include "sim/rumour.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/prg.h"
#include "node/member.h"

enum {
    LETTERS_MAX = 12,
    HEARD = 48,
    HEAR_EACH = 3,
    KINDS_EACH = 3,
    FLOOD = 64, /* extra WANTs in a liar's life */
    FLOOD_AT_ONCE = 4,
    FAR_STEPS = 1 << 20
};

struct letter {
    struct rumour_letter letter;
    uint8_t *bytes; /* [capacity] */
    size_t capacity;
};

struct rumour {
    struct rumour_config config;
    uint8_t study[MIXWIRE_HASH_BYTES];
    uint8_t secrets[GOSSIP_MEMBERS_MAX][IDENTITY_SECRET_BYTES];
    uint64_t victims[GOSSIP_MEMBERS_MAX]; /* of members, by place */
    uint32_t floods[GOSSIP_MEMBERS_MAX];
    struct prg prg;
    struct letter letters[LETTERS_MAX], heard[HEARD];
    size_t letter_count, heard_count;
    struct mixwire message, beside;
    uint8_t *body; /* [body_capacity] of the post being falsified */
    size_t body_capacity, body_size;
};

/* One post on its way. */
struct rumour_case {
    uint32_t liar;
    const struct rumour_letter *post;
    bool victim, changed, withheld, damaged;
};

static uint64_t below(struct rumour *r, uint64_t bound)
{
    return prg_below(&r->prg, bound);
}

static struct prg prg_of(const char *what, uint64_t a, uint64_t b)
{
    uint8_t seed[PRG_SEED_BYTES] = {0};
    struct prg prg;

    strncpy((char *)seed, what, 16);
    for (int i = 0; i < 8; i++) {
        seed[16 + i] = (uint8_t)(a >> 8 * i);
        seed[24 + i] = (uint8_t)(b >> 8 * i);
    }
    prg_seed(&prg, seed);
    return prg;
}

struct rumour *rumour_new(const struct rumour_config *config)
{
    struct rumour *r = calloc(1, sizeof *r);
    struct gossip_config bound = {0};
    uint64_t any = 0;

    if (r == NULL)
        return NULL;
    r->config = *config;
    member_bind(&bound, config->study);
    mixwire_study(r->study, bound.network, bound.charter);
    r->prg = prg_of("starling rumour", config->seed, 0);
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        any |= config->kinds[i];
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++) {
        r->victims[i] = below(r, UINT64_MAX);
        for (uint64_t k = 1 + below(r, KINDS_EACH); any == 0 && k > 0; k--)
            r->config.kinds[i] |= UINT64_C(1) << below(r, RUMOUR_KINDS);
    }
    return r;
}

void rumour_free(struct rumour *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < LETTERS_MAX; i++)
        free(r->letters[i].bytes);
    for (size_t i = 0; i < HEARD; i++)
        free(r->heard[i].bytes);
    free(r->body);
    memset(r->secrets, 0, sizeof r->secrets); /* of made-up members */
    free(r);
}

void rumour_enlist(struct rumour *r, uint32_t liar,
                   const uint8_t secret[IDENTITY_SECRET_BYTES])
{
    memcpy(r->secrets[liar], secret, IDENTITY_SECRET_BYTES);
}

static void fill(struct letter *l, const struct rumour_letter *from)
{
    const size_t size = from->head_size + from->body_size;

    if (l->capacity < size) {
        l->bytes = realloc(l->bytes, size);
        if (l->bytes == NULL)
            abort(); /* a simulation has nobody to tell */
        l->capacity = size;
    }
    memcpy(l->bytes, from->head, from->head_size);
    if (from->body_size > 0)
        memcpy(l->bytes + from->head_size, from->body, from->body_size);
    l->letter = *from;
    l->letter.head = l->bytes;
    l->letter.body = l->bytes + from->head_size;
}

static void remember(struct rumour *r, const struct rumour_letter *post)
{
    if (below(r, HEAR_EACH) == 0)
        fill(&r->heard[r->heard_count++ % HEARD], post);
}

void rumour_hear(struct rumour *r, const uint8_t *head, size_t head_size,
                 const uint8_t *body, size_t body_size)
{
    remember(r, &(struct rumour_letter){.head = head,
                                        .head_size = head_size,
                                        .body = body,
                                        .body_size = body_size});
}

static void write(struct rumour *r, const struct rumour_letter *letter)
{
    if (r->letter_count < LETTERS_MAX)
        fill(&r->letters[r->letter_count++], letter);
}

/* Said besides, to whom the post goes. */
static void say(struct rumour *r, const struct rumour_case *c,
                struct mixwire *m, bool with_body)
{
    uint8_t head[MIXWIRE_MAX];
    struct rumour_letter letter = {
        .pod = c->post->pod, .to = c->post->to, .lie = true};

    letter.head = head;
    letter.head_size = mixwire_write(head, m, r->study, r->secrets[c->liar]);
    letter.body = r->body;
    letter.body_size = with_body ? r->body_size : 0;
    write(r, &letter);
}

/* The same lie about one step whenever this liar tells it. */
static void other_vector(struct rumour *r, struct rumour_case *c)
{
    struct mixwire *m = &r->message;
    struct prg prg = prg_of("a vector", m->round * 2 + m->stage, c->liar);
    double value;

    if (r->body_size < sizeof value)
        return;
    value = (double)prg_below(&prg, 2000) - 1000;
    memcpy(r->body, &value, sizeof value);
    mixwire_hash(m->hash, (const uint64_t *)(const void *)r->body,
                 r->body_size / 8);
    c->changed = true;
}

static void ahead(struct rumour *r, struct rumour_case *c)
{
    r->beside = r->message;
    r->beside.round += 1 + below(r, below(r, 2) == 0 ? 4 : FAR_STEPS);
    say(r, c, &r->beside, true);
}

static void eager(struct rumour *r, struct rumour_case *c)
{
    for (uint32_t k = 0; k < 3; k++) {
        r->beside = r->message;
        r->beside.type = k & 1 ? MIXWIRE_PREPARE : MIXWIRE_COMMIT;
        r->beside.ballot += k / 2;
        say(r, c, &r->beside, false);
    }
}

static uint64_t one_less(struct rumour *r, uint64_t set)
{
    uint64_t skip =
        set == 0 ? 0 : below(r, (uint64_t)__builtin_popcountll(set));
    uint64_t rest = set;

    for (; skip > 0; skip--)
        rest &= rest - 1;
    return set & ~(rest & -rest);
}

static void propose(struct rumour *r, struct rumour_case *c)
{
    struct mixwire *m = &r->message;
    uint32_t first = (uint32_t)__builtin_ctzll(m->value.used | 1ULL << 63);

    switch (below(r, 3)) {
    case 0:
        m->value.hashes[first][0] ^= 1;
        break;
    case 1:
        m->value.used = one_less(r, m->value.used);
        break;
    default:
        m->ballot += (uint32_t)below(r, 6);
        m->quorum.ballot = m->ballot;
        m->quorum.members = UINT64_MAX >> (64 - r->config.study->site_count);
        m->value.hashes[first][0] ^= 1;
    }
    c->changed = true;
}

static void cert(struct rumour *r, struct rumour_case *c)
{
    struct mixwire *m = &r->message;
    uint32_t first = (uint32_t)__builtin_ctzll(m->value.used | 1ULL << 63);

    if (below(r, 2) == 0)
        m->quorum.members = one_less(r, m->quorum.members);
    else
        m->value.hashes[first][0] ^= 1;
    c->changed = true;
}

static void want(struct rumour *r, struct rumour_case *c)
{
    for (int k = 0; k < FLOOD_AT_ONCE && r->floods[c->liar] < FLOOD; k++) {
        r->floods[c->liar]++;
        r->beside = r->message;
        r->beside.have = 0;
        r->beside.decided = false;
        say(r, c, &r->beside, false);
    }
}

static void replay(struct rumour *r, struct rumour_case *c)
{
    size_t count = r->heard_count < HEARD ? r->heard_count : HEARD;

    if (count == 0)
        return;
    struct rumour_letter letter = r->heard[below(r, count)].letter;
    letter.pod = c->post->pod;
    letter.to = c->post->to;
    letter.lie = true;
    write(r, &letter);
}

#define TYPE(type) (1u << MIXWIRE_##type)
#define ANY UINT32_MAX

static const struct {
    const char *name;
    uint32_t types; /* that it falsifies */
} kinds[RUMOUR_KINDS] = {
    [RUMOUR_TWO] = {"two_offers", TYPE(OFFER)},
    [RUMOUR_OTHER] = {"other_offer", TYPE(OFFER)},
    [RUMOUR_BODY] = {"body", TYPE(OFFER)},
    [RUMOUR_NAME] = {"name", TYPE(OFFER)},
    [RUMOUR_AHEAD] = {"ahead", TYPE(OFFER)},
    [RUMOUR_VOTE] = {"vote", TYPE(PREPARE) | TYPE(COMMIT)},
    [RUMOUR_EAGER] = {"eager", TYPE(PREPARE)},
    [RUMOUR_PROPOSE] = {"propose", TYPE(PROPOSE)},
    [RUMOUR_CERT] = {"cert", TYPE(CERT)},
    [RUMOUR_OVER] = {"over", TYPE(OFFER)},
    [RUMOUR_WANT] = {"want", TYPE(WANT)},
    [RUMOUR_GARBAGE] = {"garbage", ANY},
    [RUMOUR_REPLAY] = {"replay", ANY},
    [RUMOUR_SILENT] = {"silent", ANY},
};

const char *rumour_name(enum rumour_kind kind)
{
    return kinds[kind].name;
}

static void practise(struct rumour *r, struct rumour_case *c,
                     enum rumour_kind kind)
{
    struct mixwire *m = &r->message;
    const uint32_t members = r->config.study->site_count;

    switch (kind) {
    case RUMOUR_TWO:
        if (c->victim)
            other_vector(r, c);
        return;
    case RUMOUR_OTHER:
        other_vector(r, c);
        return;
    case RUMOUR_BODY:
        if (r->body_size > 0)
            r->body[below(r, r->body_size)] ^= 1;
        return;
    case RUMOUR_NAME:
        m->sender = (c->liar + 1 + (uint32_t)below(r, members - 1)) % members;
        other_vector(r, c);
        return;
    case RUMOUR_AHEAD:
        ahead(r, c);
        return;
    case RUMOUR_VOTE:
        if (c->victim)
            m->hash[0] ^= 1;
        c->changed = c->victim;
        return;
    case RUMOUR_EAGER:
        eager(r, c);
        return;
    case RUMOUR_PROPOSE:
        propose(r, c);
        return;
    case RUMOUR_CERT:
        cert(r, c);
        return;
    case RUMOUR_OVER:
        r->beside = *m;
        r->beside.type = MIXWIRE_OVER;
        say(r, c, &r->beside, false);
        return;
    case RUMOUR_WANT:
        want(r, c);
        return;
    case RUMOUR_GARBAGE:
        c->damaged = below(r, 8) == 0;
        return;
    case RUMOUR_REPLAY:
        replay(r, c);
        return;
    case RUMOUR_SILENT:
    case RUMOUR_KINDS:
        c->withheld = true;
    }
}

static void damage(struct rumour *r)
{
    struct letter *l = &r->letters[r->letter_count - 1];
    struct rumour_letter *p = &l->letter;

    l->bytes[below(r, p->head_size + p->body_size)] ^=
        (uint8_t)(1 << below(r, 8));
    if (below(r, 4) == 0)
        p->body_size = below(r, p->body_size + 1);
    if (below(r, 4) == 0 && p->body_size == 0)
        p->head_size = 1 + below(r, p->head_size);
}

static void take(struct rumour *r, const struct rumour_letter *post)
{
    if (r->body_capacity < post->body_size + 1) {
        r->body_capacity = post->body_size + 1;
        r->body = realloc(r->body, r->body_capacity);
        if (r->body == NULL)
            abort();
    }
    if (post->body_size > 0)
        memcpy(r->body, post->body, post->body_size);
    r->body_size = post->body_size;
}

size_t rumour_post(struct rumour *r, uint32_t liar,
                   const struct rumour_letter *post)
{
    struct rumour_case c = {.liar = liar, .post = post};
    struct rumour_letter letter = *post;
    uint8_t head[MIXWIRE_MAX];
    bool lies = false;

    r->letter_count = 0;
    c.victim = r->victims[liar] >> post->to & 1;
    take(r, post);
    if (mixwire_parse(&r->message, post->head, post->head_size) != 0)
        abort(); /* a machine that posts what it would refuse */
    for (int k = 0; k < RUMOUR_KINDS; k++) {
        bool own =
            r->message.pod == r->config.study->pod && r->message.sender == liar;
        if ((r->config.kinds[liar] >> k & 1) == 0 ||
            (kinds[k].types >> r->message.type & 1) == 0 ||
            (!own && kinds[k].types != ANY))
            continue;
        practise(r, &c, (enum rumour_kind)k);
        lies = true;
    }
    remember(r, post);
    letter.lie = lies;
    letter.body = r->body;
    letter.body_size = r->body_size;
    if (c.changed) {
        letter.head = head;
        letter.head_size =
            mixwire_write(head, &r->message, r->study, r->secrets[liar]);
    }
    if (!c.withheld && r->letter_count < LETTERS_MAX) {
        write(r, &letter);
        if (c.damaged)
            damage(r);
    }
    return r->letter_count;
}

const struct rumour_letter *rumour_letter(const struct rumour *r, size_t index)
{
    assert(index < r->letter_count);
    return &r->letters[index].letter;
}
