/* What holds in every run, whatever one member and the network do; the first
 * breach aborts with its name. Looks into the engines, but only at what they
 * are about to promise. */

#ifndef TESTS_OATH_H
#define TESTS_OATH_H

#include <stdlib.h>
#include <string.h>

#include "gossip/engine.h"
#include "gossip/forge.h"

enum { OATH_SETS = 64, OATH_OPENINGS = 64, OATH_ROUNDS = 4 };

struct oath {
    uint32_t liar;
    bool lied;        /* signed anything that its engine had not said */
    bool lied_in_sum; /* a SUM or a STATE: without CHECK they are believed */
    bool lied_in_y;
    bool heard; /* anything yet */
    struct {    /* certified survivors, by H(U) */
        uint8_t hash[GOSSIP_HASH_BYTES];
        uint64_t members;
    } sets[OATH_SETS];
    size_t set_count;
    struct { /* which honest members gave what away, by attempt */
        uint64_t round, attempt;
        uint64_t b[POD_MAX], msk[POD_MAX]; /* givers of a share of each */
        uint64_t over[OATH_SETS];          /* givers, by set */
    } openings[OATH_OPENINGS];
    size_t opening_count;
    struct {
        uint64_t open_to; /* survivors of the sum that t could open */
        bool absorbed;
        uint64_t members;
        double sums[POD_LENGTH];
    } rounds[OATH_ROUNDS];
    struct watch *watch;
};

static struct oath oath;
static bool oath_stepping;

static inline void oath_must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "run_fuzz: %s\n", what);
    abort();
}

/* The engine takes no memory after gossip_new (the library inside wire_parse
 * does, and gives it back; the sanitizer sees to that). */
void __real_gossip_step(struct gossip *gossip, const struct gossip_event *event,
                        const struct gossip_effect **effects, size_t *count);
void __wrap_gossip_step(struct gossip *gossip, const struct gossip_event *event,
                        const struct gossip_effect **effects, size_t *count);
void __wrap_gossip_step(struct gossip *gossip, const struct gossip_event *event,
                        const struct gossip_effect **effects, size_t *count)
{
    oath_stepping = true;
    __real_gossip_step(gossip, event, effects, count);
    oath_stepping = false;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    oath_must(!oath_stepping, "a step takes memory");
    return __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    oath_must(!oath_stepping, "a step takes memory");
    return __real_calloc(count, size);
}

void *__real_realloc(void *bytes, size_t size);
void *__wrap_realloc(void *bytes, size_t size);
void *__wrap_realloc(void *bytes, size_t size)
{
    oath_must(!oath_stepping, "a step takes memory");
    return __real_realloc(bytes, size);
}

/* The place of a set, SIZE_MAX if no honest member has it certified. */
static inline size_t oath_set(const uint8_t hash[GOSSIP_HASH_BYTES])
{
    for (size_t i = 0; i < oath.set_count; i++)
        if (memcmp(oath.sets[i].hash, hash, GOSSIP_HASH_BYTES) == 0)
            return i;
    return SIZE_MAX;
}

static inline void oath_certified(const uint8_t hash[GOSSIP_HASH_BYTES],
                                  uint64_t members)
{
    if (oath_set(hash) != SIZE_MAX)
        return;
    oath_must(oath.set_count < OATH_SETS, "few sets are certified");
    memcpy(oath.sets[oath.set_count].hash, hash, GOSSIP_HASH_BYTES);
    oath.sets[oath.set_count++].members = members;
}

static inline size_t oath_opening(uint64_t round, uint64_t attempt)
{
    for (size_t i = 0; i < oath.opening_count; i++)
        if (oath.openings[i].round == round &&
            oath.openings[i].attempt == attempt)
            return i;
    oath_must(oath.opening_count < OATH_OPENINGS, "few attempts open");
    oath.openings[oath.opening_count].round = round;
    oath.openings[oath.opening_count].attempt = attempt;
    return oath.opening_count++;
}

/* One colluder has a share of everything. */
static inline bool oath_known(const struct pod *p, uint64_t givers)
{
    return engine_count(givers) + 1 >= p->config.threshold;
}

static inline void oath_released(const struct pod *p,
                                 const struct wire_message *m)
{
    size_t o = oath_opening(m->round, m->attempt);
    size_t s = oath_set(m->unmask.cert);
    uint64_t giver = engine_bit(m->sender);

    oath_must(s != SIZE_MAX, "shares are released only over a certified set");
    uint64_t members = oath.sets[s].members;
    oath_must(engine_count(members) >= p->config.threshold,
              "t survivors at least");
    for (uint32_t j = 0; j < p->members; j++) {
        if ((m->unmask.members & engine_bit(j)) == 0)
            continue;
        *(members & engine_bit(j) ? &oath.openings[o].b[j]
                                  : &oath.openings[o].msk[j]) |= giver;
        oath_must(j == oath.liar || !oath_known(p, oath.openings[o].b[j]) ||
                      !oath_known(p, oath.openings[o].msk[j]),
                  "b and msk of one member stay apart");
    }
    oath.openings[o].over[s] |= giver;
    if (!oath_known(p, oath.openings[o].over[s]))
        return;
    oath_must(m->round < OATH_ROUNDS, "the study ends");
    uint64_t *open_to = &oath.rounds[m->round].open_to;
    oath_must(*open_to == 0 || *open_to == members, "one sum opens a round");
    *open_to = members;
}

/* Once in an attempt, but for votes; UNMASK only over what is certified. */
static inline bool oath_binds(uint8_t type)
{
    return type == WIRE_KEYS || type == WIRE_ACK || type == WIRE_PREPARE ||
           type == WIRE_COMMIT || type == WIRE_Y || type == WIRE_RECV ||
           type == WIRE_UNMASK || type == WIRE_CHECK || type == WIRE_CERT;
}

/* Whether the member in whose name it is has signed it. */
static inline bool oath_signed(const struct pod *p,
                               const struct wire_message *m)
{
    uint8_t ctx[GOSSIP_HASH_BYTES] = {0}, covered[WIRE_SIGNED_BYTES];

    if (m->type != WIRE_HELLO)
        wire_ctx(ctx, &p->config, m->round, m->attempt);
    wire_signed(covered, ctx, m->sender, m->body, m->body_size);
    return p->config.verify(p->config.verify_context, m->signature,
                            wire_domain(m->type), covered, sizeof covered,
                            p->config.keys[m->sender]) == 0;
}

/* t members have COMMITted to it in one ballot. */
static inline bool oath_proves(const struct pod *p,
                               const struct wire_message *cert)
{
    const struct wire_quorum *quorum = &cert->propose.quorum;
    struct wire_message m = {
        .type = WIRE_COMMIT, .round = cert->round, .attempt = cert->attempt};
    uint8_t body[128];
    uint32_t count = 0;

    m.body = body;
    m.vote.kind = cert->propose.kind;
    m.vote.ballot = quorum->ballot;
    wire_value_hash(m.vote.value, &cert->propose.value);
    if (pack_body(body, sizeof body, &m.body_size, &m) != 0)
        return false;
    for (uint32_t j = 0; j < p->members; j++) {
        m.sender = j;
        m.signature = quorum->signatures[j];
        count += (quorum->members & engine_bit(j)) && oath_signed(p, &m);
    }
    return count >= p->config.threshold;
}

/* A message as its sender's engine made it, relayed ones too. */
static inline void oath_said(struct pod *p, const struct pod_message *message)
{
    static struct wire_message m;
    static uint8_t last[GOSSIP_HEAD_MAX];
    static size_t last_size;

    if (!oath_binds(message->type) ||
        (message->head_size == last_size && oath.heard &&
         memcmp(message->head, last, last_size) == 0))
        return; /* the same to the next member */
    oath.heard = true;
    last_size = message->head_size;
    memcpy(last, message->head, last_size);
    oath_must(wire_parse(&m, message->head, message->head_size, p->members) ==
                      0 &&
                  m.type == message->type,
              "what is sent can be read");
    if (m.sender == oath.liar ||
        (message->from == oath.liar && !oath_signed(p, &m)))
        return; /* a liar's store may hold anything */
    if (m.type == WIRE_CERT) {
        uint8_t hash[GOSSIP_HASH_BYTES];
        oath_must(oath_proves(p, &m), "a certificate has t signatures");
        wire_value_hash(hash, &m.propose.value);
        if (m.propose.kind == WIRE_U)
            oath_certified(hash, m.propose.value.members);
        return;
    }
    if (m.type == WIRE_UNMASK)
        oath_released(p, &m);
    watch_once(oath.watch, &m);
    oath_must(oath.watch->contradictions == 0,
              "nobody honest contradicts itself");
}

static inline bool oath_believed(const struct pod *p)
{
    return p->config.check || !oath.lied_in_sum;
}

static inline void oath_true_sum(const struct pod *p, uint64_t round,
                                 uint64_t members, const double *sums)
{
    bool full = p->config.on_loss != GOSSIP_CONTINUE;

    oath_must(engine_count(members) >=
                  (full ? p->members : p->config.threshold),
              "a sum is over enough");
    if (oath.lied_in_y && (members & engine_bit(oath.liar)))
        return;
    for (size_t k = 0; k < POD_LENGTH; k++) {
        double expected = 0;
        for (uint32_t j = 0; j < p->members; j++)
            if (members & engine_bit(j))
                expected += pod_value(j, round, k);
        oath_must(sums[k] == expected, "no false sum is absorbed");
    }
}

static inline void oath_absorb(const struct pod *p,
                               const struct gossip_effect *e)
{
    uint64_t round = e->absorb.round - 1;

    if (e->absorb.sum == NULL || !oath_believed(p))
        return;
    oath_must(round < OATH_ROUNDS && e->absorb.length == POD_LENGTH,
              "what is absorbed was asked for");
    oath_true_sum(p, round, e->absorb.survivors, e->absorb.sum);
    if (oath.rounds[round].absorbed) {
        oath_must(oath.rounds[round].members == e->absorb.survivors,
                  "all absorb the same survivors");
        oath_must(memcmp(oath.rounds[round].sums, e->absorb.sum,
                         sizeof oath.rounds[round].sums) == 0,
                  "all absorb the same sum");
        return;
    }
    oath.rounds[round].absorbed = true;
    oath.rounds[round].members = e->absorb.survivors;
    memcpy(oath.rounds[round].sums, e->absorb.sum,
           sizeof oath.rounds[round].sums);
}

static inline void oath_note(const struct gossip_effect *e)
{
    switch (e->note.code) {
    case GOSSIP_NOTE_EQUIVOCATED:
    case GOSSIP_NOTE_LIED:
    case GOSSIP_NOTE_BAD_SHARE:
    case GOSSIP_NOTE_BAD_DEAL:
        oath_must(oath.lied && e->note.members == engine_bit(oath.liar),
                  "nobody honest is accused");
        break;
    default:
        break;
    }
}

/* What an engine asks for, before it is done. */
static inline void oath_effect(const struct pod *p, uint32_t member,
                               const struct gossip_effect *e)
{
    const struct agree *u = &p->engines[member]->agree[WIRE_U];

    if (member == oath.liar)
        return;
    switch (e->kind) {
    case GOSSIP_SAVE: /* it may die before it says the certificate */
        if (u->certified)
            oath_certified(u->hash, u->value.members);
        break;
    case GOSSIP_ABSORB:
        oath_absorb(p, e);
        break;
    case GOSSIP_NOTE:
        oath_note(e);
        break;
    case GOSSIP_DONE:
        oath_must(e->done.reason != GOSSIP_SPOILED || oath.lied,
                  "without a lie no sum is out of range");
        break;
    default:
        break;
    }
}

static inline void oath_end(const struct pod *p)
{
    uint64_t last = p->start.rounds_left - 1;

    for (uint32_t i = 0; i < p->members; i++) {
        if (i == oath.liar || !p->done[i] || p->reason[i] != GOSSIP_FINISHED ||
            !oath_believed(p))
            continue;
        oath_must(p->final[i].rounds_left == 0, "the last round is absorbed");
        oath_must(oath.rounds[last].absorbed &&
                      memcmp(p->final[i].sums, oath.rounds[last].sums,
                             sizeof p->final[i].sums) == 0,
                  "all finish with the same sums");
    }
}

#endif
