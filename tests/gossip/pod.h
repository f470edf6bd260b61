/* A pod of real engines in one test: a queue of messages, a clock that moves
 * when nothing else does, and every message open to the test's hand. The task
 * adds up integers: state = [rounds left, last sums...]. */

#ifndef TESTS_POD_H
#define TESTS_POD_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/grid.h"
#include "gossip/gossip.h"
#include "gossip/wire.h"

enum { POD_MAX = 16, POD_LENGTH = 13, POD_QUEUE = 65536, POD_NOTES = 4096 };

struct pod_state {
    uint64_t rounds_left;
    double sums[POD_LENGTH];
};

struct pod_message {
    uint32_t from, to;
    uint8_t type;
    uint8_t *head, *body;
    size_t head_size, body_size;
    uint64_t at_ms;
};

struct pod_record {
    uint8_t *bytes;
    size_t size;
};

struct pod {
    uint32_t members;
    struct gossip_config config; /* what all have in common */
    struct identity identities[POD_MAX];
    struct gossip *engines[POD_MAX];
    struct pod_record saved[POD_MAX][GOSSIP_SLOTS];
    uint64_t wake_ms[POD_MAX];
    bool down[POD_MAX], left[POD_MAX];
    bool done[POD_MAX];
    enum gossip_reason reason[POD_MAX];
    struct pod_state final[POD_MAX];
    uint64_t note_count[POD_MAX][GOSSIP_NOTES];
    uint64_t note_members[POD_MAX][GOSSIP_NOTES];
    struct gossip_field fields[2];
    struct pod_state start;
    struct pod_message queue[POD_QUEUE];
    size_t queued;
    uint64_t now_ms, starts, sent[WIRE_TYPES];
    /* Sees each message before it is queued; false drops it. May change it. */
    bool (*filter)(struct pod *, struct pod_message *);
    /* Sees each effect before it is performed; false: the member dies here. */
    bool (*allow)(struct pod *, uint32_t member, const struct gossip_effect *);
    double (*value)(uint32_t member, uint64_t round, size_t element);
    uint32_t decline[POD_MAX];
    uint64_t train_ms[POD_MAX]; /* how long each takes for its vector */
    bool holds[POD_MAX];        /* sums are not absorbed: it waits for pods */
    struct pod_training {
        bool runs;
        uint64_t until_ms;
        struct gossip_event done;
        double x[POD_LENGTH];
    } training[POD_MAX];
    void *context;
};

/* POD_LANES=16 or 32 in the environment: the same test in such lanes, with
 * values that are points of the grid, so that sums stay exact. */
static inline uint8_t pod_lane_bits(void)
{
    const char *text = getenv("POD_LANES");

    return text == NULL ? 64 : (uint8_t)atoi(text);
}

static inline double pod_value(uint32_t member, uint64_t round, size_t element)
{
    if (pod_lane_bits() == 16)
        return (double)(member + 1) * 8 + (double)(round % 32) * 2 +
               (double)element / 4 - 20;
    return (double)(member + 1) * 1000 + (double)round * 10 +
           (double)element / 4 - 2000;
}

static inline struct fixed_shape pod_shape(const struct pod *p,
                                           const struct pod_state *state)
{
    const uint8_t lane_bits = pod_lane_bits();
    const uint32_t value_bits = grid_value_bits(POD_MAX, lane_bits);

    if (lane_bits != 64)
        return (struct fixed_shape){
            .length = state->rounds_left == 0 ? 0 : POD_LENGTH,
            .bound = (double)((UINT64_C(1) << (value_bits - 1)) - 1) / 4,
            .lane_bits = lane_bits,
            .value_bits = (uint8_t)value_bits};
    return (struct fixed_shape){.length =
                                    state->rounds_left == 0 ? 0 : POD_LENGTH,
                                .bound = fixed_bound(p->members, 32),
                                .fraction_bits = 32,
                                .exact = true};
}

static inline void pod_start(struct pod *p, uint32_t i)
{
    struct gossip_record records[GOSSIP_SLOTS];
    size_t count = 0;
    const char *why;
    struct gossip_config c = p->config;
    struct prg prg;
    uint8_t seed[PRG_SEED_BYTES] = {(uint8_t)i, (uint8_t)++p->starts};

    prg_seed(&prg, seed);
    c.self = i;
    memcpy(c.sign_secret, p->identities[i].sign_secret, sizeof c.sign_secret);
    prg_bytes(&prg, c.seed, sizeof c.seed);
    for (uint32_t s = 0; s < GOSSIP_SLOTS; s++)
        if (p->saved[i][s].bytes != NULL)
            records[count++] = (struct gossip_record){s, p->saved[i][s].bytes,
                                                      p->saved[i][s].size};
    gossip_free(p->engines[i]);
    p->training[i].runs = false;
    p->engines[i] = gossip_new(&c, records, count, &why);
    p->down[i] = p->left[i] = false;
    p->wake_ms[i] = p->now_ms;
}

static inline void pod_queue(struct pod *p, struct pod_message m)
{
    if (p->queued == POD_QUEUE)
        abort();
    p->queue[p->queued++] = m;
}

static inline uint8_t *pod_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static inline void pod_step(struct pod *p, uint32_t i,
                            const struct gossip_event *event);

static inline void pod_kill(struct pod *p, uint32_t i)
{
    p->down[i] = true;
    gossip_free(p->engines[i]);
    p->engines[i] = NULL;
    for (uint32_t j = 0; j < p->members; j++) {
        struct gossip_event e = {.kind = GOSSIP_LINK, .now_ms = p->now_ms};
        e.link.member = i;
        if (j != i && !p->down[j])
            pod_step(p, j, &e);
    }
}

static inline void pod_link(struct pod *p, uint32_t i)
{
    for (uint32_t j = 0; j < p->members; j++) {
        struct gossip_event e = {.kind = GOSSIP_LINK, .now_ms = p->now_ms};
        if (j == i || p->down[j] || p->down[i])
            continue;
        e.link.up = true;
        e.link.member = j;
        pod_step(p, i, &e);
        e.link.member = i;
        if (!p->down[j])
            pod_step(p, j, &e);
    }
}

/* What it had saved is gone. */
static inline void pod_lose_disk(struct pod *p, uint32_t i)
{
    for (int s = 0; s < GOSSIP_SLOTS; s++) {
        free(p->saved[i][s].bytes);
        p->saved[i][s] = (struct pod_record){0};
    }
}

static inline void pod_revive(struct pod *p, uint32_t i)
{
    pod_start(p, i);
    pod_link(p, i);
}

static inline void pod_send(struct pod *p, uint32_t i,
                            const struct gossip_effect *e)
{
    struct pod_message m = {.from = i,
                            .to = e->send.to,
                            .type = e->send.type,
                            .head = pod_copy(e->send.head, e->send.head_size),
                            .body = pod_copy(e->send.body, e->send.body_size),
                            .head_size = e->send.head_size,
                            .body_size = e->send.body_size,
                            .at_ms = p->now_ms + 1};
    p->sent[m.type]++;
    if (p->filter == NULL || p->filter(p, &m)) {
        pod_queue(p, m);
        return;
    }
    free(m.head);
    free(m.body);
}

static inline void pod_contribute(struct pod *p, uint32_t i,
                                  const struct gossip_effect *e)
{
    struct pod_training *t = &p->training[i];

    *t = (struct pod_training){.runs = true,
                               .until_ms = p->now_ms + p->train_ms[i],
                               .done = {.kind = GOSSIP_CONTRIBUTED}};
    for (size_t k = 0; k < POD_LENGTH; k++)
        t->x[k] = (p->value ? p->value : pod_value)(i, e->contribute.round, k);
    t->done.contributed.round = e->contribute.round;
    t->done.contributed.x = t->x;
    t->done.contributed.decline = p->decline[i];
}

static inline void pod_trained(struct pod *p, uint32_t i)
{
    struct pod_training *t = &p->training[i];

    t->runs = false;
    t->done.now_ms = p->now_ms;
    pod_step(p, i, &t->done);
}

static inline void pod_absorb(struct pod *p, const struct gossip_effect *e,
                              struct gossip_event *done)
{
    struct pod_state state;

    if (e->absorb.sum != NULL) {
        memcpy(&state, e->absorb.state, sizeof state);
        state.rounds_left--;
        memcpy(state.sums, e->absorb.sum, sizeof state.sums);
        memcpy(e->absorb.next, &state, sizeof state);
    }
    memcpy(&state, e->absorb.next, sizeof state);
    *done = (struct gossip_event){.kind = GOSSIP_ABSORBED};
    done->absorbed.round = e->absorb.round;
    done->absorbed.shape = pod_shape(p, &state);
}

/* True: the member died. */
static inline bool pod_perform(struct pod *p, uint32_t i,
                               const struct gossip_effect *e)
{
    if (p->allow != NULL && !p->allow(p, i, e))
        return true;
    switch (e->kind) {
    case GOSSIP_SAVE:
        free(p->saved[i][e->save.slot].bytes);
        p->saved[i][e->save.slot].bytes = pod_copy(e->save.bytes, e->save.size);
        p->saved[i][e->save.slot].size = e->save.size;
        break;
    case GOSSIP_SEND:
        pod_send(p, i, e);
        break;
    case GOSSIP_WAKE:
        p->wake_ms[i] = e->wake.at_ms;
        break;
    case GOSSIP_NOTE:
        p->note_count[i][e->note.code]++;
        p->note_members[i][e->note.code] = e->note.members;
        break;
    case GOSSIP_DONE:
        p->done[i] = true;
        p->reason[i] = e->done.reason;
        memcpy(&p->final[i], e->done.state, sizeof p->final[i]);
        break;
    case GOSSIP_LEAVE:
        p->left[i] = true;
        break;
    default:
        break;
    }
    return false;
}

static inline void pod_step(struct pod *p, uint32_t i,
                            const struct gossip_event *event)
{
    const struct gossip_effect *effects;
    size_t count;
    struct gossip_event jobs[4];
    size_t job_count = 0;

    gossip_step(p->engines[i], event, &effects, &count);
    for (size_t k = 0; k < count; k++) {
        if (pod_perform(p, i, &effects[k])) {
            pod_kill(p, i);
            return;
        }
        if (effects[k].kind == GOSSIP_CONTRIBUTE)
            pod_contribute(p, i, &effects[k]);
        if (effects[k].kind == GOSSIP_ABSORB &&
            (effects[k].absorb.sum == NULL || !p->holds[i]))
            pod_absorb(p, &effects[k], &jobs[job_count++]);
    }
    for (size_t k = 0; k < job_count && !p->down[i]; k++) {
        jobs[k].now_ms = p->now_ms;
        pod_step(p, i, &jobs[k]);
    }
    if (!p->down[i] && p->training[i].runs && p->train_ms[i] == 0)
        pod_trained(p, i);
}

static inline void pod_deliver(struct pod *p, const struct pod_message *m)
{
    struct gossip_event e = {.kind = GOSSIP_RECEIVED, .now_ms = p->now_ms};

    e.received.from = m->from;
    e.received.head = m->head;
    e.received.head_size = m->head_size;
    e.received.body = m->body;
    e.received.body_size = m->body_size;
    if (!p->down[m->to] && !p->left[m->to])
        pod_step(p, m->to, &e);
}

/* The earliest thing that happens; false when nothing ever will. */
static inline bool pod_turn(struct pod *p, uint64_t until_ms)
{
    uint64_t at = UINT64_MAX;
    size_t best = SIZE_MAX;
    uint32_t who = 0;
    bool trained = false;

    for (size_t k = 0; k < p->queued; k++)
        if (p->queue[k].at_ms < at) {
            at = p->queue[k].at_ms;
            best = k;
        }
    for (uint32_t i = 0; i < p->members; i++)
        if (!p->down[i] && !p->left[i] && p->wake_ms[i] < at) {
            at = p->wake_ms[i];
            best = SIZE_MAX;
            who = i;
        }
    for (uint32_t i = 0; i < p->members; i++)
        if (!p->down[i] && p->training[i].runs &&
            p->training[i].until_ms < at) {
            at = p->training[i].until_ms;
            best = SIZE_MAX;
            who = i;
            trained = true;
        }
    if (at > until_ms || at == UINT64_MAX)
        return false;
    p->now_ms = at > p->now_ms ? at : p->now_ms;
    if (trained) {
        pod_trained(p, who);
        return true;
    }
    if (best == SIZE_MAX) {
        struct gossip_event e = {.kind = GOSSIP_TIMER, .now_ms = p->now_ms};
        p->wake_ms[who] = UINT64_MAX;
        pod_step(p, who, &e);
        return true;
    }
    struct pod_message m = p->queue[best];
    memmove(&p->queue[best], &p->queue[best + 1],
            (--p->queued - best) * sizeof m);
    pod_deliver(p, &m);
    free(m.head);
    free(m.body);
    return true;
}

static inline void pod_run(struct pod *p, uint64_t until_ms)
{
    while (pod_turn(p, until_ms))
        ;
}

static inline struct pod *pod_new(uint32_t members, uint32_t threshold,
                                  uint64_t rounds)
{
    struct pod *p = calloc(1, sizeof *p);
    struct prg prg;
    uint8_t seed[PRG_SEED_BYTES] = {42};

    if (p == NULL || sodium_init() < 0)
        abort();
    p->members = members;
    prg_seed(&prg, seed);
    strcpy(p->fields[0].name, "task.l2");
    strcpy(p->fields[1].name, "study");
    p->start.rounds_left = rounds;
    p->config = (struct gossip_config){.members = members,
                                       .threshold = threshold,
                                       .colluders = 1,
                                       .copies = members - threshold + 1,
                                       .on_loss = GOSSIP_WAIT,
                                       .deadline_ms = 5000,
                                       .grace_ms = 200,
                                       .linger_ms = 10000,
                                       .fields = p->fields,
                                       .field_count = 2,
                                       .state_size = sizeof(struct pod_state),
                                       .length_max = POD_LENGTH,
                                       .lanes_max = POD_LENGTH * 8,
                                       .clips = pod_lane_bits() != 64,
                                       .state = &p->start,
                                       .shape = pod_shape(p, &p->start)};
    for (uint32_t i = 0; i < members; i++) {
        identity_generate(&p->identities[i], &prg);
        memcpy(p->config.keys[i], p->identities[i].open.sign,
               IDENTITY_KEY_BYTES);
    }
    return p;
}

/* identity_verify with a memory: all members of a pod check the same
 * signatures. Remembers valid ones only, by a hash of everything. */
static inline int pod_verify(void *context, const uint8_t *signature,
                             const char *domain, const uint8_t *message,
                             size_t size, const uint8_t *key)
{
    static uint8_t memory[65536][32];
    crypto_generichash_state h;
    uint8_t hash[32];

    (void)context;
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

static inline void pod_begin(struct pod *p)
{
    p->config.verify = pod_verify;
    for (uint32_t i = 0; i < p->members; i++)
        p->down[i] = true;
    for (uint32_t i = 0; i < p->members; i++) {
        pod_start(p, i);
        pod_link(p, i);
    }
}

static inline void pod_free(struct pod *p)
{
    for (size_t k = 0; k < p->queued; k++) {
        free(p->queue[k].head);
        free(p->queue[k].body);
    }
    for (uint32_t i = 0; i < p->members; i++) {
        gossip_free(p->engines[i]);
        for (int s = 0; s < GOSSIP_SLOTS; s++)
            free(p->saved[i][s].bytes);
    }
    free(p);
}

/* The sum that must come out of `round`, over all members. */
static inline double pod_expected(const struct pod *p, uint64_t round,
                                  size_t element)
{
    double sum = 0;

    for (uint32_t i = 0; i < p->members; i++)
        sum += (p->value ? p->value : pod_value)(i, round, element);
    return sum;
}

#endif
