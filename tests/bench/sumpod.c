#include "sumpod.h"

#include <assert.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/grid.h"
#include "crypto/lanes.h"
#include "crypto/tree.h"
#include "node/crew.h"

enum { FOREVER_MS = 1000000, MEMORY = 65536, MEASURED = 2 /* round */ };

/* Bytes that several messages share. */
struct blob {
    size_t refs, size;
    uint8_t bytes[];
};

struct message {
    struct message *next;
    uint32_t from, to;
    struct blob *head, *body;
};

struct pod {
    const struct sumpod_config *config;
    struct sumpod_result *result;
    struct identity identities[GOSSIP_MEMBERS_MAX];
    struct gossip *engines[GOSSIP_MEMBERS_MAX];
    uint64_t wake_ms[GOSSIP_MEMBERS_MAX];
    uint64_t asked, asked_round, dead,
        unheard; /* unheard: dead, the others do not know */
    uint64_t paired;
    uint32_t turn; /* whose vector comes next */
    bool measuring;
    enum sumpod_stage stage;
    struct message *first, **last;
    uint64_t now_ms, absorbed;
    double *x;      /* [dim] */
    uint8_t *plain; /* [dim] lanes: the sum of what was contributed */
    double *expected;
    uint8_t (*memory)[32]; /* [MEMORY] hashes of valid signatures */
};

static void *get(size_t size)
{
    void *bytes = calloc(1, size);

    if (bytes == NULL)
        abort();
    return bytes;
}

static struct blob *copy(const uint8_t *bytes, size_t size)
{
    struct blob *blob = malloc(sizeof *blob + size);

    if (blob == NULL)
        abort();
    blob->refs = 0;
    blob->size = size;
    if (size > 0)
        memcpy(blob->bytes, bytes, size);
    return blob;
}

static void drop(struct blob *blob)
{
    if (--blob->refs == 0)
        free(blob);
}

void sumpod_values(double *x, size_t dim, uint32_t member)
{
    for (size_t i = 0; i < dim; i++)
        x[i] = (double)((i * 7 + member * 131) % 2001) * 1e-3 - 1;
}

struct fixed_shape sumpod_shape(const struct sumpod_config *config)
{
    if (config->lane_bits == 64)
        return (struct fixed_shape){.length = config->dim,
                                    .bound = fixed_bound(config->members, 32),
                                    .fraction_bits = 32,
                                    .exact = true};
    return (struct fixed_shape){.length = config->dim,
                                .bound = 1,
                                .lane_bits = (uint8_t)config->lane_bits,
                                .value_bits = (uint8_t)grid_value_bits(
                                    config->members, config->lane_bits)};
}

/* identity_verify with a memory of what was valid. */
static int remember(void *context, const uint8_t *signature, const char *domain,
                    const uint8_t *message, size_t size, const uint8_t *key)
{
    uint8_t(*memory)[32] = context, hash[32];
    crypto_generichash_state h;

    crypto_generichash_init(&h, key, IDENTITY_KEY_BYTES, sizeof hash);
    crypto_generichash_update(&h, signature, IDENTITY_SIGNATURE_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)domain, strlen(domain) + 1);
    crypto_generichash_update(&h, message, size);
    crypto_generichash_final(&h, hash, sizeof hash);
    uint8_t *known = memory[hash[0] | hash[1] << 8];
    if (memcmp(known, hash, sizeof hash) == 0)
        return 0;
    if (identity_verify(signature, domain, message, size, key) != 0)
        return -1;
    memcpy(known, hash, sizeof hash);
    return 0;
}

static void send(struct pod *p, uint32_t from, const struct gossip_effect *e,
                 struct blob **head, struct blob **body)
{
    struct message *m = get(sizeof *m);
    size_t size = e->send.head_size + e->send.body_size;

    m->from = from;
    m->to = e->send.to;
    m->head = *head;
    m->body = *body;
    m->head->refs++;
    m->body->refs++;
    *p->last = m;
    p->last = &m->next;
    if (m->to == 0 && size > p->result->longest)
        p->result->longest = size;
    if (from == 0 && p->measuring) {
        struct sumpod_result *r = p->result;
        r->sent = realloc(r->sent, (r->sent_count + 1) * sizeof *r->sent);
        if (r->sent == NULL)
            abort();
        r->sent[r->sent_count++] = size;
        r->sent_bytes += size;
    }
}

/* Neighbouring effects that send the same bytes share one copy. */
static void send_all(struct pod *p, uint32_t from,
                     const struct gossip_effect *effects, size_t count)
{
    const struct gossip_effect *last = NULL;
    struct blob *head = NULL, *body = NULL;

    for (size_t k = 0; k < count; k++) {
        const struct gossip_effect *e = &effects[k];
        if (e->kind != GOSSIP_SEND)
            continue;
        if (last == NULL || last->send.body != e->send.body ||
            last->send.body_size != e->send.body_size)
            body = copy(e->send.body, e->send.body_size);
        if (last == NULL || last->send.head != e->send.head)
            head = copy(e->send.head, e->send.head_size);
        send(p, from, e, &head, &body);
        last = e;
    }
}

/* The opened sum is that of the survivors' lanes, and close to their values. */
static void check_sum(struct pod *p, const struct gossip_effect *e)
{
    const struct sumpod_config *c = p->config;
    const struct fixed_shape shape = sumpod_shape(c);
    const uint32_t survivors =
        c->members - (e->absorb.round == MEASURED + 1 ? c->before : 0);
    const double step =
        c->lane_bits == 64 ? 0x1p-32 : 2 / (ldexp(1, shape.value_bits) - 2);
    double *plain = get(c->dim * sizeof *plain);
    size_t at;
    bool right = e->absorb.survivors == UINT64_MAX >> (64 - survivors) &&
                 lanes_decode(plain, p->plain, survivors, &shape, &at) == 0 &&
                 memcmp(plain, e->absorb.sum, c->dim * sizeof *plain) == 0;

    for (size_t i = 0; i < c->dim && right; i++)
        right = fabs(plain[i] - p->expected[i]) < survivors * step;
    if (!right)
        p->result->right = false;
    free(plain);
}

static void step(struct pod *p, uint32_t i, struct gossip_event *event);

static void absorb(struct pod *p, uint32_t i, const struct gossip_effect *e)
{
    struct gossip_event done = {.kind = GOSSIP_ABSORBED};
    const uint64_t round = e->absorb.round;
    uint64_t *next = e->absorb.next;

    if (e->absorb.sum != NULL) {
        check_sum(p, e);
        memcpy(next, e->absorb.state, p->config->state_size);
        ++*next;
    }
    if (round == MEASURED + 1 && i == 0)
        tree_hash(p->result->hash, e->absorb.sum,
                  p->config->dim * sizeof *e->absorb.sum);
    if (round == MEASURED + 1)
        p->absorbed |= UINT64_C(1) << i;
    if (i == 0) {
        p->measuring = round == MEASURED;
        p->stage = SUMPOD_KEYS;
    }
    done.absorbed.round = round;
    if (round <= MEASURED)
        done.absorbed.shape = sumpod_shape(p->config);
    step(p, i, &done);
}

static void note(struct pod *p, uint32_t i, enum gossip_note code)
{
    if (code == GOSSIP_NOTE_PAIRED)
        p->paired |= UINT64_C(1) << i;
    if (i == 0 && code == GOSSIP_NOTE_PAIRED)
        p->stage = SUMPOD_CONTRIBUTE;
    if (i == 0 && code == GOSSIP_NOTE_Y)
        p->stage = SUMPOD_COLLECT;
    if (i == 0 && code == GOSSIP_NOTE_SURVIVORS)
        p->stage = SUMPOD_OPEN;
}

static void call(struct pod *p, uint32_t i, const struct gossip_event *event,
                 const struct gossip_effect **effects, size_t *count)
{
    struct sumpod_result *r = p->result;

    if (i != 0 || !p->measuring) {
        gossip_step(p->engines[i], event, effects, count);
        return;
    }
    double masks = r->meter.ms[METER_MASK], start = meter_cpu_ms();
    double wall = meter_wall_ms();
    meter_on(&r->meter, p->config->times);
    gossip_step(p->engines[i], event, effects, count);
    meter_off();
    r->ms[p->stage] += meter_cpu_ms() - start;
    r->wall_ms += meter_wall_ms() - wall;
    if (p->stage != SUMPOD_OPEN)
        r->add_ms += r->meter.ms[METER_MASK] - masks;
}

static void asked(struct pod *p, uint32_t i, uint64_t round)
{
    p->asked |= UINT64_C(1) << i;
    p->asked_round = round;
}

static void step(struct pod *p, uint32_t i, struct gossip_event *event)
{
    const struct gossip_effect *effects, *to_absorb = NULL;
    size_t count;

    event->now_ms = p->now_ms;
    call(p, i, event, &effects, &count);
    send_all(p, i, effects, count);
    for (size_t k = 0; k < count; k++) {
        const struct gossip_effect *e = &effects[k];
        if (e->kind == GOSSIP_WAKE)
            p->wake_ms[i] = e->wake.at_ms;
        if (e->kind == GOSSIP_NOTE)
            note(p, i, e->note.code);
        if (e->kind == GOSSIP_CONTRIBUTE)
            asked(p, i, e->contribute.round);
        if (e->kind == GOSSIP_ABSORB)
            to_absorb = e;
    }
    if (to_absorb != NULL)
        absorb(p, i, to_absorb);
}

static void deliver(struct pod *p)
{
    struct message *m = p->first;
    struct gossip_event e = {.kind = GOSSIP_RECEIVED};

    p->first = m->next;
    if (p->first == NULL)
        p->last = &p->first;
    e.received.from = m->from;
    e.received.head = m->head->bytes;
    e.received.head_size = m->head->size;
    e.received.body = m->body->bytes;
    e.received.body_size = m->body->size;
    if ((p->dead >> m->to & 1) == 0)
        step(p, m->to, &e);
    drop(m->head);
    drop(m->body);
    free(m);
}

static void link(struct pod *p, uint32_t i, uint32_t j, bool up)
{
    struct gossip_event e = {.kind = GOSSIP_LINK};

    e.link.member = j;
    e.link.up = up;
    if (i != j && (p->dead >> i & 1) == 0)
        step(p, i, &e);
}

static void contribute(struct pod *p, uint32_t i)
{
    const struct sumpod_config *c = p->config;
    struct fixed_shape shape = sumpod_shape(c);
    struct gossip_event e = {.kind = GOSSIP_CONTRIBUTED};
    uint64_t round;

    sumpod_values(p->x, c->dim, i);
    for (size_t k = 0; k < c->dim; k++)
        p->expected[k] += p->x[k];
    e.contributed.round = p->asked_round;
    e.contributed.x = p->x;
    step(p, i, &e);
    const void *plain = gossip_plain(p->engines[i], &round, &shape);
    if (plain == NULL)
        abort();
    lanes_add(p->plain, plain, c->dim, &shape);
}

/* V stands everywhere: the vectors come, one when the messages of the one
 * before are delivered. */
static void contribute_next(struct pod *p)
{
    const struct sumpod_config *c = p->config;
    const uint32_t i = p->turn++, first_lost = c->members - c->before;
    const struct fixed_shape shape = sumpod_shape(c);

    if (i == 0) {
        memset(p->plain, 0, c->dim * lanes_bytes(&shape));
        memset(p->expected, 0, c->dim * sizeof *p->expected);
    }
    if (!p->measuring || i < first_lost)
        contribute(p, i);
    if (p->measuring && i >= first_lost - c->after)
        p->dead |= UINT64_C(1) << i;
    if (p->turn < c->members)
        return;
    p->turn = 0;
    p->unheard = p->dead;
    p->asked = p->paired = 0;
}

static void tell_dead(struct pod *p)
{
    uint64_t dead = p->unheard;

    p->unheard = 0;
    for (uint32_t j = 0; j < p->config->members; j++)
        for (uint32_t i = 0; i < p->config->members && dead >> j & 1; i++)
            link(p, i, j, false);
}

static void pass_time(struct pod *p)
{
    struct gossip_event e = {.kind = GOSSIP_TIMER};
    uint32_t who = 0;

    for (uint32_t i = 0; i < p->config->members; i++)
        if ((p->dead >> i & 1) == 0 &&
            (p->dead >> who & 1 || p->wake_ms[i] < p->wake_ms[who]))
            who = i;
    if (p->wake_ms[who] == UINT64_MAX)
        abort(); /* nothing will ever happen */
    if (p->wake_ms[who] > p->now_ms)
        p->now_ms = p->wake_ms[who];
    p->wake_ms[who] = UINT64_MAX;
    step(p, who, &e);
}

static void start(struct pod *p, uint32_t i, struct gossip_config *config)
{
    const char *why;

    config->self = i;
    config->verify = i == 0 ? meter_verify : remember;
    config->verify_context = p->memory;
    config->share = i == 0 && p->config->crew != NULL && !p->config->times
                        ? crew_share
                        : NULL;
    config->share_context = p->config->crew;
    config->seed[0] = (uint8_t)(i + 1);
    memcpy(config->sign_secret, p->identities[i].sign_secret,
           sizeof config->sign_secret);
    if (i == 0)
        meter_on(&p->result->meter, false);
    p->engines[i] = gossip_new(config, NULL, 0, &why);
    meter_off();
    if (p->engines[i] == NULL)
        abort();
}

static void make(struct pod *p)
{
    const struct sumpod_config *c = p->config;
    struct fixed_shape shape = sumpod_shape(c);
    uint8_t *state = get(c->state_size), seed[PRG_SEED_BYTES] = {42};
    struct gossip_field field = {.name = "study"};
    struct prg prg;
    struct gossip_config config = {.members = c->members,
                                   .threshold = c->threshold,
                                   .colluders = 1,
                                   .copies = c->copies,
                                   .on_loss = c->before > 0 ? GOSSIP_CONTINUE
                                                            : GOSSIP_WAIT,
                                   .deadline_ms = FOREVER_MS,
                                   .grace_ms = 200,
                                   .linger_ms = 1000,
                                   .fields = &field,
                                   .field_count = 1,
                                   .state_size = c->state_size,
                                   .length_max = c->dim,
                                   .lanes_max = c->dim * lanes_bytes(&shape),
                                   .clips = c->lane_bits != 64,
                                   .state = state,
                                   .shape = shape};

    prg_seed(&prg, seed);
    for (uint32_t i = 0; i < c->members; i++) {
        identity_generate(&p->identities[i], &prg);
        memcpy(config.keys[i], p->identities[i].open.sign, IDENTITY_KEY_BYTES);
    }
    for (uint32_t i = 0; i < c->members; i++)
        start(p, i, &config);
    free(state);
    p->x = get(c->dim * sizeof *p->x);
    p->expected = get(c->dim * sizeof *p->expected);
    p->plain = get(c->dim * lanes_bytes(&shape));
}

static void unmake(struct pod *p)
{
    while (p->first != NULL) {
        p->dead = UINT64_MAX;
        deliver(p);
    }
    for (uint32_t i = 0; i < p->config->members; i++)
        gossip_free(p->engines[i]);
    free(p->memory);
    free(p->x);
    free(p->expected);
    free(p->plain);
    free(p);
}

void sumpod_run(struct sumpod_result *result,
                const struct sumpod_config *config)
{
    struct pod *p = get(sizeof *p);
    const uint64_t all = UINT64_MAX >> (64 - config->members);

    assert(config->before + config->after + config->threshold <=
           config->members);
    *result = (struct sumpod_result){.right = true};
    p->config = config;
    p->result = result;
    p->last = &p->first;
    p->memory = get(MEMORY * sizeof *p->memory);
    meter_masks(config->masked);
    make(p);
    for (uint32_t i = 0; i < config->members; i++)
        for (uint32_t j = 0; j < config->members; j++)
            link(p, i, j, true);
    while ((p->absorbed | p->dead) != all) {
        if (p->first != NULL)
            deliver(p);
        else if (p->asked == all && p->paired == all)
            contribute_next(p);
        else if (p->unheard != 0)
            tell_dead(p);
        else
            pass_time(p);
    }
    unmake(p);
}
