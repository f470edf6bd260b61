#include "sim/votes.h"

#include <stdlib.h>
#include <string.h>

static bool same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, GOSSIP_HASH_BYTES) == 0;
}

static uint32_t count_of(uint64_t members)
{
    return (uint32_t)__builtin_popcountll(members);
}

void votes_free(struct votes *v)
{
    free(v->tallies);
    *v = (struct votes){0};
}

static struct votes_tally *tally_of(struct votes *v, const struct votes_cast *c)
{
    for (size_t i = 0; i < v->count; i++) {
        struct votes_tally *t = &v->tallies[i];
        if (t->kind == c->kind && t->ballot == c->ballot &&
            same(t->value, c->value))
            return t;
    }
    v->tallies = realloc(v->tallies, (v->count + 1) * sizeof *v->tallies);
    if (v->tallies == NULL)
        abort(); /* a simulation has nobody to tell */
    struct votes_tally *t = &v->tallies[v->count++];
    *t = (struct votes_tally){.kind = c->kind, .ballot = c->ballot};
    memcpy(t->value, c->value, GOSSIP_HASH_BYTES);
    return t;
}

static bool voted_twice(const struct votes *v, const struct votes_tally *t,
                        uint64_t bit, bool commit)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct votes_tally *o = &v->tallies[i];
        if (o != t && o->kind == t->kind && o->ballot == t->ballot &&
            ((commit ? o->commits : o->prepares) & bit))
            return true;
    }
    return false;
}

/* Whether a later ballot's PREPARE quorum, before t's, frees who is locked in
 * ballot `lock`. */
static bool unlocked(const struct votes *v, const struct votes_tally *t,
                     uint32_t lock, uint32_t threshold)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct votes_tally *q = &v->tallies[i];
        if (q->kind == t->kind && q->ballot > lock && q->ballot < t->ballot &&
            count_of(q->prepares) >= threshold && same(q->value, t->value))
            return true;
    }
    return false;
}

static bool against_lock(const struct votes *v, const struct votes_tally *t,
                         uint64_t bit, uint32_t threshold)
{
    const struct votes_tally *lock = NULL;

    for (size_t i = 0; i < v->count; i++) {
        const struct votes_tally *l = &v->tallies[i];
        if (l->kind == t->kind && (l->commits & bit) &&
            (lock == NULL || l->ballot > lock->ballot))
            lock = l;
    }
    return lock != NULL && !same(lock->value, t->value) &&
           !unlocked(v, t, lock->ballot, threshold);
}

const char *votes_count(struct votes *v, const struct votes_cast *c,
                        uint32_t threshold)
{
    const uint64_t bit = UINT64_C(1) << c->member;
    struct votes_tally *t = tally_of(v, c);

    if ((c->commit ? t->commits : t->prepares) & bit)
        return NULL;
    if (!c->lies && voted_twice(v, t, bit, c->commit))
        return c->commit ? "signed two COMMITs" : "signed two PREPAREs";
    if (!c->commit) {
        bool breaks = !c->lies && against_lock(v, t, bit, threshold);
        t->prepares |= bit;
        return breaks ? "signed a PREPARE against its lock" : NULL;
    }
    t->commits |= bit;
    if (!c->lies && count_of(t->prepares) < threshold)
        return "signed a COMMIT without a PREPARE quorum";
    if (count_of(t->commits) < threshold)
        return NULL;
    bool second =
        v->certified[c->kind] && !same(v->certificate[c->kind], c->value);
    v->certified[c->kind] = true;
    memcpy(v->certificate[c->kind], c->value, GOSSIP_HASH_BYTES);
    return second ? "completed the second of two certificates" : NULL;
}
