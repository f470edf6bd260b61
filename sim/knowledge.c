#include "sim/knowledge.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/prg.h"
#include "sim/rank.h"

enum { COALITIONS_MAX = 48, TRIES = 4096, TEXT_SIZE = 256 };

struct context { /* a round and attempt */
    uint64_t round, attempt;
    uint64_t of_b[GOSSIP_MEMBERS_MAX];   /* [j]: who released its share */
    uint64_t of_msk[GOSSIP_MEMBERS_MAX]; /* of j's secret */
    struct view {                        /* what was masked under one V */
        uint8_t hash_v[GOSSIP_HASH_BYTES];
        uint64_t members, masked;
    } * views; /* [view_count] */
    size_t view_count;
};

struct coalition {
    uint64_t members;
    struct rank rank;
    uint64_t *opened; /* [round_count]: the set of a round, 0: none */
    size_t round_count;
};

struct knowledge {
    struct knowledge_rules rules;
    struct coalition *coalitions; /* [coalition_count] */
    size_t coalition_count;
    struct context *contexts; /* [context_count] */
    size_t context_count;
    uint64_t named, opened;
    char violation[TEXT_SIZE];
};

static uint32_t count_of(uint64_t members)
{
    return (uint32_t)__builtin_popcountll(members);
}

static void *grown(void *list, size_t count, size_t size)
{
    list = realloc(list, (count + 1) * size);
    if (list == NULL)
        abort(); /* a simulation has nobody to tell */
    memset((char *)list + count * size, 0, size);
    return list;
}

static void enlist(struct knowledge *k, uint64_t members)
{
    for (size_t i = 0; i < k->coalition_count; i++)
        if (k->coalitions[i].members == members)
            return;
    k->coalitions[k->coalition_count++].members = members;
}

/* All sets of `colluders` with the liars in it, or as many as fit. */
static void draw_coalitions(struct knowledge *k)
{
    const struct knowledge_rules *r = &k->rules;
    uint8_t seed[PRG_SEED_BYTES] = "coalitions";
    struct prg prg;

    prg_seed(&prg, seed);
    for (int i = 0; i < TRIES && k->coalition_count < COALITIONS_MAX; i++) {
        uint64_t members = r->liars;
        while (count_of(members) < r->colluders)
            members |= UINT64_C(1) << prg_below(&prg, r->members);
        enlist(k, members);
        if (count_of(r->liars) >= r->colluders)
            return;
    }
}

struct knowledge *knowledge_new(const struct knowledge_rules *rules)
{
    struct knowledge *k = calloc(1, sizeof *k);

    if (k == NULL)
        return NULL;
    k->rules = *rules;
    k->coalitions = calloc(COALITIONS_MAX, sizeof *k->coalitions);
    if (k->coalitions == NULL) {
        free(k);
        return NULL;
    }
    draw_coalitions(k);
    return k;
}

void knowledge_free(struct knowledge *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->coalition_count; i++)
        free(k->coalitions[i].opened);
    for (size_t i = 0; i < k->context_count; i++)
        free(k->contexts[i].views);
    free(k->coalitions);
    free(k->contexts);
    free(k);
}

const char *knowledge_violation(const struct knowledge *k)
{
    return k->violation;
}

uint64_t knowledge_opened(const struct knowledge *k)
{
    return k->opened;
}

void knowledge_named(struct knowledge *k, uint64_t members)
{
    k->named |= members;
}

static struct context *context_of(struct knowledge *k, uint64_t round,
                                  uint64_t attempt)
{
    for (size_t i = k->context_count; i-- > 0;)
        if (k->contexts[i].round == round && k->contexts[i].attempt == attempt)
            return &k->contexts[i];
    k->contexts = grown(k->contexts, k->context_count, sizeof *k->contexts);
    struct context *x = &k->contexts[k->context_count++];
    x->round = round;
    x->attempt = attempt;
    return x;
}

static void violate(struct knowledge *k, const struct coalition *p,
                    const struct context *x, uint64_t members, const char *what)
{
    if (k->violation[0] == '\0')
        snprintf(k->violation, sizeof k->violation,
                 "members %" PRIx64 " together know the sum of members "
                 "%" PRIx64 " of round %" PRIu64 ", attempt %" PRIu64 ": %s",
                 p->members, members, x->round, x->attempt, what);
}

/* The coalition knows the sum over `members`, none of whom is in it. */
static void expose(struct knowledge *k, struct coalition *p,
                   const struct context *x, uint64_t members)
{
    while (p->round_count <= x->round)
        p->opened = grown(p->opened, p->round_count++, sizeof *p->opened);
    if (p->opened[x->round] == members)
        return;
    k->opened++;
    if (count_of(members) < k->rules.threshold - k->rules.colluders)
        violate(k, p, x, members, "too few");
    else if (p->opened[x->round] != 0)
        violate(k, p, x, members, "the second set of that round");
    p->opened[x->round] = members;
    rank_add(&p->rank, members);
    if (rank_alone(&p->rank) & ~k->named)
        violate(k, p, x, members,
                "with those before, one's alone, of which nobody was told");
}

static void infer(struct knowledge *k, struct coalition *p,
                  const struct context *x, const struct view *v)
{
    uint64_t others = v->members & ~p->members, loose = 0, bare = 0;

    for (uint64_t left = others; left != 0; left &= left - 1) {
        int j = __builtin_ctzll(left);
        if (count_of(p->members | x->of_b[j]) >= k->rules.threshold)
            bare |= UINT64_C(1) << j;
        if (count_of(p->members | x->of_msk[j]) >= k->rules.threshold)
            loose |= UINT64_C(1) << j;
    }
    bare &= v->masked;
    for (uint64_t left = loose & bare; left != 0; left &= left - 1)
        expose(k, p, x, left & -left);
    uint64_t held = others & ~loose;
    if (held != 0 && (held & ~bare) == 0)
        expose(k, p, x, held);
}

static void infer_all(struct knowledge *k, const struct context *x)
{
    for (size_t i = 0; i < k->coalition_count; i++)
        for (size_t n = 0; n < x->view_count; n++)
            infer(k, &k->coalitions[i], x, &x->views[n]);
}

void knowledge_masked(struct knowledge *k, uint32_t member, uint64_t round,
                      uint64_t attempt, const uint8_t hash_v[GOSSIP_HASH_BYTES],
                      uint64_t members)
{
    struct context *x = context_of(k, round, attempt);
    struct view *v = NULL;

    for (size_t i = 0; i < x->view_count; i++)
        if (memcmp(x->views[i].hash_v, hash_v, GOSSIP_HASH_BYTES) == 0)
            v = &x->views[i];
    if (v == NULL) {
        x->views = grown(x->views, x->view_count, sizeof *x->views);
        v = &x->views[x->view_count++];
        memcpy(v->hash_v, hash_v, GOSSIP_HASH_BYTES);
        v->members = members;
    }
    if (v->masked >> member & 1)
        return;
    v->masked |= UINT64_C(1) << member;
    infer_all(k, x);
}

void knowledge_released(struct knowledge *k, uint32_t member, uint64_t round,
                        uint64_t attempt, uint64_t members, uint64_t survivors)
{
    struct context *x = context_of(k, round, attempt);
    const uint64_t bit = UINT64_C(1) << member;
    bool news = false;

    for (uint32_t j = 0; j < k->rules.members; j++) {
        uint64_t *of = survivors >> j & 1 ? &x->of_b[j] : &x->of_msk[j];
        if ((members >> j & 1) == 0 || (*of & bit))
            continue;
        *of |= bit;
        news = true;
    }
    if (news)
        infer_all(k, x);
}
