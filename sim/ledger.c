#include "sim/ledger.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct vector {
    uint64_t *lanes; /* NULL: none yet */
    size_t length;
};

/* A liar's vector that is not what its engine was given. */
struct altered {
    uint32_t member;
    uint64_t round, delta;
    uint8_t hash[GOSSIP_HASH_BYTES];
};

struct ledger {
    uint32_t members;
    struct vector **rounds; /* [round_count][members] */
    size_t round_count;
    struct altered *altered; /* [altered_count] */
    size_t altered_count;
    uint64_t sums;
};

static void *grown(void *list, size_t count, size_t size)
{
    list = realloc(list, (count + 1) * size);
    if (list == NULL)
        abort(); /* a simulation has nobody to tell */
    return list;
}

static void *zeroed(size_t count, size_t size)
{
    void *list = calloc(count, size);

    if (list == NULL)
        abort();
    return list;
}

struct ledger *ledger_new(uint32_t members)
{
    struct ledger *l = calloc(1, sizeof *l);

    if (l != NULL)
        l->members = members;
    return l;
}

static void wipe(uint64_t *lanes, size_t length)
{
    if (lanes != NULL)
        sodium_memzero(lanes, length * sizeof *lanes);
    free(lanes);
}

void ledger_free(struct ledger *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->round_count; i++) {
        for (uint32_t j = 0; j < l->members; j++)
            wipe(l->rounds[i][j].lanes, l->rounds[i][j].length);
        free(l->rounds[i]);
    }
    free(l->rounds);
    free(l->altered);
    free(l);
}

uint64_t ledger_sums(const struct ledger *l)
{
    return l->sums;
}

static struct vector *round_of(struct ledger *l, uint64_t round)
{
    assert(round < UINT32_MAX);
    while (l->round_count <= round) {
        l->rounds = grown(l->rounds, l->round_count, sizeof *l->rounds);
        l->rounds[l->round_count++] = zeroed(l->members, sizeof(struct vector));
    }
    return l->rounds[round];
}

bool ledger_enter(struct ledger *l, uint32_t member, uint64_t round,
                  const uint64_t *lanes, size_t length)
{
    struct vector *v = &round_of(l, round)[member];

    if (length == 0)
        return true;
    if (v->lanes != NULL)
        return v->length == length &&
               memcmp(v->lanes, lanes, length * sizeof *lanes) == 0;
    v->lanes = zeroed(length, sizeof *lanes);
    v->length = length;
    memcpy(v->lanes, lanes, length * sizeof *lanes);
    return true;
}

void ledger_alter(struct ledger *l, uint32_t member, uint64_t round,
                  const uint8_t hash[GOSSIP_HASH_BYTES], uint64_t delta)
{
    for (size_t i = 0; i < l->altered_count; i++)
        if (memcmp(l->altered[i].hash, hash, GOSSIP_HASH_BYTES) == 0)
            return;
    l->altered = grown(l->altered, l->altered_count, sizeof *l->altered);
    struct altered *a = &l->altered[l->altered_count++];
    *a = (struct altered){.member = member, .round = round, .delta = delta};
    memcpy(a->hash, hash, GOSSIP_HASH_BYTES);
}

static uint64_t delta_of(const struct ledger *l, uint32_t member,
                         uint64_t round, const struct wire_value *u)
{
    for (size_t i = 0; i < l->altered_count; i++) {
        const struct altered *a = &l->altered[i];
        if (a->member == member && a->round == round &&
            memcmp(a->hash, u->said[member], GOSSIP_HASH_BYTES) == 0)
            return a->delta;
    }
    return 0;
}

/* The plaintext sum over U: lanes[*length], to be freed, or NULL if somebody in
 * it has contributed nothing, or another number of lanes. */
static uint64_t *sum_of(struct ledger *l, size_t *length, uint64_t round,
                        const struct wire_value *u)
{
    const struct vector *vectors = round_of(l, round);
    uint64_t *sum = NULL;

    *length = 0;
    for (uint32_t j = 0; j < l->members; j++) {
        const struct vector *v = &vectors[j];
        if ((u->members >> j & 1) == 0)
            continue;
        if (v->lanes == NULL || (sum != NULL && v->length != *length)) {
            free(sum);
            return NULL;
        }
        if (sum == NULL)
            sum = zeroed(v->length, sizeof *sum);
        *length = v->length;
        for (size_t e = 0; e < v->length; e++)
            sum[e] += v->lanes[e];
        sum[0] += delta_of(l, j, round, u);
    }
    return sum;
}

bool ledger_is_sum(struct ledger *l, uint64_t round, const struct wire_value *u,
                   uint32_t slices, uint32_t slice,
                   const uint8_t said[GOSSIP_HASH_BYTES])
{
    uint8_t hash[GOSSIP_HASH_BYTES];
    size_t length;

    uint64_t *sum = sum_of(l, &length, round, u);
    if (sum == NULL)
        return false;
    size_t first = slice * length / slices;
    size_t end = (slice + 1) * length / slices;
    wire_hash(hash, (const uint8_t *)(sum + first), (end - first) * 8);
    sodium_memzero(sum, length * sizeof *sum);
    free(sum);
    l->sums++;
    return memcmp(hash, said, sizeof hash) == 0;
}
