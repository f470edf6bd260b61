#include "gossip/vector.h"

#include <sodium.h>
#include <string.h>

#include "crypto/lanes.h"
#include "crypto/mask.h"
#include "gossip/finish.h"
#include "gossip/mail.h"
#include "gossip/share.h"

static size_t lane_size(const struct gossip *g)
{
    return lanes_bytes(&g->shape);
}

/* BLAKE2b(key = our signing secret, "rounding", charter, round, H(state)): a
 * member that comes back sends the same lanes again, or two openings of one sum
 * would show what its vectors differ in. No privacy rests on this seed. */
static void rounding_seed(uint8_t seed[PRG_SEED_BYTES], const struct gossip *g)
{
    crypto_generichash_state h;
    uint8_t round[8];

    for (int i = 0; i < 8; i++)
        round[i] = (uint8_t)(g->round >> 8 * i);
    crypto_generichash_init(&h, g->config.sign_secret, IDENTITY_SECRET_BYTES,
                            PRG_SEED_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)"rounding", 8);
    crypto_generichash_update(&h, g->config.charter, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, round, sizeof round);
    crypto_generichash_update(&h, g->state_hash, GOSSIP_HASH_BYTES);
    crypto_generichash_final(&h, seed, PRG_SEED_BYTES);
    sodium_memzero(&h, sizeof h);
}

struct encoding {
    struct gossip *g;
    const double *values;
    uint8_t seed[PRG_SEED_BYTES];
    int codes[SHARE_PARTS_MAX];
};

static void encode_part(void *context, size_t k, size_t from, size_t n)
{
    struct encoding *e = context;
    struct gossip *g = e->g;
    size_t at;

    e->codes[k] =
        lanes_encode_part(g->plain + from * lane_size(g),
                          g->carry == NULL ? NULL : g->carry + from,
                          e->values + from, from, n, &g->shape, e->seed, &at);
}

static int encode(struct gossip *g, const double *values)
{
    struct encoding e = {.g = g, .values = values};
    int code = 0;

    rounding_seed(e.seed, g);
    share_lanes(g, g->shape.length, lane_size(g), encode_part, &e);
    sodium_memzero(e.seed, sizeof e.seed);
    for (size_t k = 0; k < SHARE_PARTS_MAX; k++)
        code = code == 0 ? e.codes[k] : code;
    return code;
}

void vector_contributed(struct gossip *g, const struct gossip_event *event)
{
    if (event->contributed.round != g->round || !g->asked ||
        g->phase >= PHASE_FINISHED)
        return;
    if (g->has_plain) {
        mail_note(g, GOSSIP_NOTE_REFUSED, 0, 0, NULL);
        return;
    }
    if (event->contributed.decline != 0) {
        finish_decline(g, event->contributed.decline);
        return;
    }
    if (encode(g, event->contributed.x) != 0) {
        finish_decline(g, GOSSIP_DECLINE_RANGE);
        return;
    }
    g->has_plain = true;
}

/* s_ij = BLAKE2b(key = DH, "pair", ctx, H(V), H(state), mpk_lo, mpk_hi). */
int vector_seed(uint8_t seed[PRG_SEED_BYTES], const struct gossip *g,
                const uint8_t secret[X25519_BYTES], uint32_t i, uint32_t j)
{
    uint8_t dh[X25519_BYTES];
    uint32_t low = i < j ? i : j, high = i < j ? j : i;
    crypto_generichash_state h;

    if (x25519_shared(dh, secret, g->keys[j].mpk) != 0)
        return -1;
    crypto_generichash_init(&h, dh, sizeof dh, PRG_SEED_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)"pair", 4);
    crypto_generichash_update(&h, g->ctx, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, g->agree[WIRE_V].hash, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, g->state_hash, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, g->keys[low].mpk, X25519_BYTES);
    crypto_generichash_update(&h, g->keys[high].mpk, X25519_BYTES);
    crypto_generichash_final(&h, seed, PRG_SEED_BYTES);
    sodium_memzero(&h, sizeof h);
    sodium_memzero(dh, sizeof dh);
    return 0;
}

struct masking {
    struct gossip *g;
    struct mask masks[GOSSIP_MEMBERS_MAX];
    uint32_t count;
};

static void mask_part(void *context, size_t k, size_t from, size_t n)
{
    const struct masking *m = context;
    struct gossip *g = m->g;
    const size_t at = from * lane_size(g);

    (void)k;
    mask_copy(g->masked + at, g->plain + at, (uint32_t)(8 * lane_size(g)), from,
              n, m->masks, m->count);
}

int vector_mask(struct gossip *g, const struct wire_value *v)
{
    struct masking m = {.g = g, .count = 1};
    uint32_t self = g->config.self;
    int status = 0;

    memcpy(m.masks[0].seed, g->b, PRG_SEED_BYTES);
    for (uint32_t j = 0; j < g->config.members && status == 0; j++) {
        if (j == self || (v->members & engine_bit(j)) == 0)
            continue;
        status = vector_seed(m.masks[m.count].seed, g, g->mpk.secret, self, j);
        m.masks[m.count++].minus = self > j;
    }
    if (status == 0)
        share_lanes(g, g->shape.length, lane_size(g), mask_part, &m);
    sodium_memzero(&m, sizeof m);
    return status;
}
