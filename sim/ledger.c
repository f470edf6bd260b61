#include "sim/ledger.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/lanes.h"
#include "crypto/tree.h"
#include "sim/finding.h"

struct vector {
    uint8_t *lanes; /* [shape.length] as the shape says; NULL: none yet */
    struct fixed_shape shape;
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

static size_t size_of(const struct fixed_shape *shape)
{
    return shape->length * lanes_bytes(shape);
}

static void wipe(uint8_t *lanes, const struct fixed_shape *shape)
{
    if (lanes != NULL)
        sodium_memzero(lanes, size_of(shape));
    free(lanes);
}

void ledger_free(struct ledger *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->round_count; i++) {
        for (uint32_t j = 0; j < l->members; j++)
            wipe(l->rounds[i][j].lanes, &l->rounds[i][j].shape);
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
        l->rounds = finding_grown(l->rounds, l->round_count, sizeof *l->rounds);
        l->rounds[l->round_count++] = zeroed(l->members, sizeof(struct vector));
    }
    return l->rounds[round];
}

bool ledger_enter(struct ledger *l, uint32_t member, uint64_t round,
                  const void *lanes, const struct fixed_shape *shape)
{
    struct vector *v = &round_of(l, round)[member];

    if (shape->length == 0)
        return true;
    if (v->lanes != NULL)
        return size_of(&v->shape) == size_of(shape) &&
               memcmp(v->lanes, lanes, size_of(shape)) == 0;
    v->lanes = zeroed(size_of(shape), 1);
    v->shape = *shape;
    memcpy(v->lanes, lanes, size_of(shape));
    return true;
}

void ledger_alter(struct ledger *l, uint32_t member, uint64_t round,
                  const uint8_t hash[GOSSIP_HASH_BYTES], uint64_t delta)
{
    for (size_t i = 0; i < l->altered_count; i++)
        if (memcmp(l->altered[i].hash, hash, GOSSIP_HASH_BYTES) == 0)
            return;
    l->altered =
        finding_grown(l->altered, l->altered_count, sizeof *l->altered);
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

/* What a liar has added to its first lane. */
static void add_first(uint8_t *sum, uint64_t delta, size_t bytes)
{
    uint8_t lane[8];

    for (size_t k = 0; k < sizeof lane; k++)
        lane[k] = (uint8_t)(delta >> 8 * k);
    const struct fixed_shape one = {.lane_bits = (uint8_t)(8 * bytes)};
    lanes_add(sum, lane, 1, &one);
}

/* The plaintext sum over U: lanes of *shape, to be freed, or NULL if somebody
 * in it has contributed nothing, or another number of lanes. */
static uint8_t *sum_of(struct ledger *l, struct fixed_shape *shape,
                       uint64_t round, const struct wire_value *u)
{
    const struct vector *vectors = round_of(l, round);
    uint8_t *sum = NULL;

    for (uint32_t j = 0; j < l->members; j++) {
        const struct vector *v = &vectors[j];
        if ((u->members >> j & 1) == 0)
            continue;
        if (v->lanes == NULL ||
            (sum != NULL && size_of(&v->shape) != size_of(shape))) {
            free(sum);
            return NULL;
        }
        if (sum == NULL)
            sum = zeroed(size_of(&v->shape), 1);
        *shape = v->shape;
        lanes_add(sum, v->lanes, shape->length, shape);
        add_first(sum, delta_of(l, j, round, u), lanes_bytes(shape));
    }
    return sum;
}

bool ledger_is_sum(struct ledger *l, uint64_t round, const struct wire_value *u,
                   uint32_t slices, uint32_t slice,
                   const uint8_t said[GOSSIP_HASH_BYTES])
{
    uint8_t hash[GOSSIP_HASH_BYTES];
    struct fixed_shape shape = {0};

    uint8_t *sum = sum_of(l, &shape, round, u);
    if (sum == NULL)
        return false;
    size_t first = slice * shape.length / slices;
    size_t end = (slice + 1) * shape.length / slices;
    tree_hash(hash, sum + first * lanes_bytes(&shape),
              (end - first) * lanes_bytes(&shape));
    sodium_memzero(sum, size_of(&shape));
    free(sum);
    l->sums++;
    return memcmp(hash, said, sizeof hash) == 0;
}

bool ledger_is_widened(struct ledger *l, uint64_t round,
                       const struct wire_value *u, const void *words,
                       size_t length)
{
    static const uint8_t zeros[sizeof(uint64_t)];
    struct fixed_shape shape = {0};
    uint8_t *sum = sum_of(l, &shape, round, u);
    bool is = sum != NULL && length == shape.length;

    for (size_t i = 0; is && i < length; i++) { /* little-endian, as on wires */
        const size_t lane = lanes_bytes(&shape);
        const uint8_t *word = (const uint8_t *)words + i * sizeof(uint64_t);
        is = memcmp(word, sum + i * lane, lane) == 0 &&
             memcmp(word + lane, zeros, sizeof zeros - lane) == 0;
    }
    if (sum != NULL)
        sodium_memzero(sum, size_of(&shape));
    free(sum);
    l->sums++;
    return is;
}
