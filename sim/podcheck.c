#include "sim/podcheck.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/mix.h"
#include "sim/finding.h"
#include "sim/votes.h"

struct offer {
    uint64_t round;
    uint32_t stage;
    uint8_t hash[MIXWIRE_HASH_BYTES];
    uint64_t *words; /* [word_count], NULL: forgotten */
    size_t word_count;
};

struct step {
    uint64_t round;
    uint32_t stage;
    struct votes votes;
};

struct commit {
    uint64_t round;
    uint32_t stage, member;
    uint8_t hash[MIXWIRE_HASH_BYTES];
};

struct known_value {
    uint8_t hash[MIXWIRE_HASH_BYTES];
    struct mixwire_value value;
};

struct podcheck {
    uint32_t pod, members, threshold;
    bool exact;
    uint64_t liars;
    uint32_t neighbours[MIX_NEIGHBOURS_MAX];
    size_t neighbour_count;
    struct offer *offers;   /* [offer_count] */
    struct step *steps;     /* [step_count] */
    struct commit *commits; /* [commit_count] not yet matched, of the honest */
    struct known_value *values;
    size_t offer_count, step_count, commit_count, value_count;
    bool *missed; /* [missed_count] by round: somebody was left out */
    size_t missed_count;
    uint64_t matched;
    struct mixwire message;
    struct finding violation;
};

/* Who ever hears or is heard, ascending: the places of a value. */
static int meet(struct podcheck *c, const struct study *study)
{
    struct schedule *s = schedule_new(&study->mixing);

    if (s == NULL)
        return -1;
    for (uint32_t p = 0; p < study->pod_count; p++) {
        bool meets = study->exact;
        for (size_t k = 0; k < s->count && !meets; k++)
            meets = mixing_find(s->mixes[k], c->pod, p) != SIZE_MAX ||
                    mixing_find(s->mixes[k], p, c->pod) != SIZE_MAX;
        if (meets && p != c->pod)
            c->neighbours[c->neighbour_count++] = p;
    }
    schedule_free(s);
    return 0;
}

struct podcheck *podcheck_new(const struct study *study, uint64_t liars)
{
    struct podcheck *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->pod = study->pod;
    c->members = study->site_count;
    c->threshold = study->threshold;
    c->exact = study->exact;
    c->liars = liars;
    if (meet(c, study) == 0)
        return c;
    free(c);
    return NULL;
}

void podcheck_free(struct podcheck *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->offer_count; i++)
        free(c->offers[i].words);
    free(c->offers);
    for (size_t i = 0; i < c->step_count; i++)
        votes_free(&c->steps[i].votes);
    free(c->steps);
    free(c->commits);
    free(c->values);
    free(c->missed);
    free(c);
}

const char *podcheck_violation(const struct podcheck *c)
{
    return c->violation.text;
}

uint64_t podcheck_matched(const struct podcheck *c)
{
    return c->matched;
}

static struct offer *offer_of(const struct podcheck *c, uint64_t round,
                              uint32_t stage)
{
    for (size_t i = c->offer_count; i-- > 0;)
        if (c->offers[i].round == round && c->offers[i].stage == stage)
            return &c->offers[i];
    return NULL;
}

static void offered(struct podcheck *c, const struct mixwire *m,
                    const uint8_t *body, size_t size)
{
    struct offer *o = offer_of(c, m->round, m->stage);
    uint8_t hash[MIXWIRE_HASH_BYTES];

    if (o != NULL && memcmp(o->hash, m->hash, sizeof o->hash) != 0)
        finding_say(&c->violation,
                    "member %" PRIu32 " of pod %" PRIu32
                    " offers another vector "
                    "than its fellows in round %" PRIu64 ", stage %" PRIu32,
                    m->sender, c->pod, m->round, m->stage);
    if (o != NULL)
        return;
    c->offers = finding_grown(c->offers, c->offer_count, sizeof *c->offers);
    o = &c->offers[c->offer_count++];
    *o = (struct offer){.round = m->round, .stage = m->stage};
    memcpy(o->hash, m->hash, sizeof o->hash);
    if (body == NULL)
        return;
    o->word_count = size / sizeof *o->words;
    o->words = malloc(size + 1);
    if (o->words == NULL)
        abort();
    memcpy(o->words, body, size);
    mixwire_hash(hash, o->words, o->word_count);
    if (memcmp(hash, o->hash, sizeof hash) != 0)
        finding_say(&c->violation,
                    "member %" PRIu32 " of pod %" PRIu32
                    " signed another vector "
                    "than it sent in round %" PRIu64 ", stage %" PRIu32,
                    m->sender, c->pod, m->round, m->stage);
}

static const struct mixwire_value *value_of(const struct podcheck *c,
                                            const uint8_t *hash)
{
    for (size_t i = c->value_count; i-- > 0;)
        if (memcmp(c->values[i].hash, hash, MIXWIRE_HASH_BYTES) == 0)
            return &c->values[i].value;
    return NULL;
}

static void learn(struct podcheck *c, const struct mixwire_value *value)
{
    uint8_t hash[MIXWIRE_HASH_BYTES];

    mixwire_value_hash(hash, value);
    if (value_of(c, hash) != NULL)
        return;
    c->values = finding_grown(c->values, c->value_count, sizeof *c->values);
    struct known_value *known = &c->values[c->value_count++];
    memcpy(known->hash, hash, sizeof hash);
    known->value = *value;
}

static struct votes *votes_of(struct podcheck *c, const struct mixwire *m)
{
    for (size_t i = c->step_count; i-- > 0;)
        if (c->steps[i].round == m->round && c->steps[i].stage == m->stage)
            return &c->steps[i].votes;
    c->steps = finding_grown(c->steps, c->step_count, sizeof *c->steps);
    struct step *s = &c->steps[c->step_count++];
    *s = (struct step){.round = m->round, .stage = m->stage};
    return &s->votes;
}

static void voted(struct podcheck *c, const struct mixwire *m)
{
    struct votes_cast cast = {.member = m->sender,
                              .ballot = m->ballot,
                              .kind = WIRE_V,
                              .commit = m->type == MIXWIRE_COMMIT,
                              .lies = c->liars >> m->sender & 1};

    memcpy(cast.value, m->hash, sizeof cast.value);
    const char *fault = votes_count(votes_of(c, m), &cast, c->threshold);
    if (fault != NULL)
        finding_say(&c->violation,
                    "member %" PRIu32 " of pod %" PRIu32 " %s (round %" PRIu64
                    ", stage %" PRIu32 ", ballot %" PRIu32 ")",
                    m->sender, c->pod, fault, m->round, m->stage, m->ballot);
    if (!cast.commit || cast.lies)
        return;
    c->commits = finding_grown(c->commits, c->commit_count, sizeof *c->commits);
    struct commit *x = &c->commits[c->commit_count++];
    *x = (struct commit){
        .round = m->round, .stage = m->stage, .member = m->sender};
    memcpy(x->hash, m->hash, sizeof x->hash);
}

bool podcheck_posted(struct podcheck *c, uint32_t from, const uint8_t *head,
                     size_t head_size, const uint8_t *body, size_t body_size)
{
    struct mixwire *m = &c->message;

    if (mixwire_parse(m, head, head_size) != 0)
        return false; /* a liar's */
    if (m->pod == c->pod &&
        (m->type == MIXWIRE_PROPOSE || m->type == MIXWIRE_CERT))
        learn(c, &m->value);
    if (m->pod != c->pod || m->sender != from)
        return false;
    if (m->type == MIXWIRE_PREPARE || m->type == MIXWIRE_COMMIT)
        voted(c, m);
    if (m->type != MIXWIRE_OFFER || (c->liars >> from & 1))
        return false;
    offered(c, m, body, body_size);
    return true;
}

void podcheck_mixed(struct podcheck *c, uint64_t round, uint64_t left_out)
{
    while (c->missed_count <= round) {
        c->missed =
            finding_grown(c->missed, c->missed_count, sizeof *c->missed);
        c->missed[c->missed_count++] = false;
    }
    c->missed[round] = c->missed[round] || left_out > 0;
}

static void match(struct podcheck *c, struct podcheck *const *checks,
                  const struct commit *x, const struct mixwire_value *value)
{
    for (size_t k = 0; k < c->neighbour_count; k++) {
        if ((value->used >> k & 1) == 0) {
            if (c->exact)
                finding_say(&c->violation,
                            "member %" PRIu32 " of pod %" PRIu32
                            " COMMITs without "
                            "pod %" PRIu32 " in round %" PRIu64,
                            x->member, c->pod, c->neighbours[k], x->round);
            continue;
        }
        const struct offer *o =
            offer_of(checks[c->neighbours[k]], x->round, x->stage);
        if (o == NULL || memcmp(o->hash, value->hashes[k], sizeof o->hash) != 0)
            finding_say(
                &c->violation,
                "member %" PRIu32 " of pod %" PRIu32 " COMMITs to a vector "
                "that pod %" PRIu32 " did not offer in round %" PRIu64
                ", stage %" PRIu32,
                x->member, c->pod, c->neighbours[k], x->round, x->stage);
        c->matched++;
    }
}

void podcheck_between(struct podcheck *const *checks, uint32_t count)
{
    for (uint32_t p = 0; p < count; p++) {
        struct podcheck *c = checks[p];
        for (size_t i = 0; i < c->commit_count; i++) {
            const struct commit *x = &c->commits[i];
            const struct mixwire_value *value = value_of(c, x->hash);
            if (value == NULL)
                finding_say(&c->violation,
                            "member %" PRIu32 " of pod %" PRIu32
                            " COMMITs to what "
                            "nobody proposed in round %" PRIu64,
                            x->member, c->pod, x->round);
            else
                match(c, checks, x, value);
        }
        c->commit_count = 0;
    }
}

const uint64_t *podcheck_offered(const struct podcheck *c, uint64_t round,
                                 size_t *count, bool *complete)
{
    const struct offer *last = NULL;

    *complete = round < c->missed_count && !c->missed[round];
    for (size_t i = c->offer_count; i-- > 0;)
        if (c->offers[i].round == round &&
            (last == NULL || c->offers[i].stage > last->stage))
            last = &c->offers[i];
    *count = last == NULL ? 0 : last->word_count;
    return last == NULL ? NULL : last->words;
}

void podcheck_forget(struct podcheck *c, uint64_t round)
{
    for (size_t i = c->offer_count; i-- > 0;) {
        struct offer *o = &c->offers[i];
        if (o->round > round)
            continue;
        if (o->words == NULL)
            return; /* so are all before */
        free(o->words);
        o->words = NULL;
        o->word_count = 0;
    }
}
