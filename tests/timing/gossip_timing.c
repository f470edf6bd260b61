/* Whole rounds of real engines: their seeds, signing keys and vectors are
 * secret, and no branch or address of any engine may depend on them. What is
 * public is declared where it becomes so: when it is put into a message, sent
 * beside one, signed, or opened as a sum. */

#include <assert.h>

#include "crypto/mask.h"
#include "gossip/engine.h"
#include "gossip/forge.h"
#include "timing/public.h"

enum { ROUNDS = 2, DYING = 2, LIAR = 1 };

static enum story {
    LOST_AFTER_Y,  /* b is rebuilt, and the member comes back */
    LOST_BEFORE_Y, /* msk is rebuilt: the others go on, active and with CHECK */
    FALSE_SHARES
} story;

/* How often something secret passed where secrets pass. */
static unsigned keys, vectors, joins, comparisons, sums;

struct gossip *__real_gossip_new(const struct gossip_config *config,
                                 const struct gossip_record *saved,
                                 size_t count, const char **why);
struct gossip *__wrap_gossip_new(const struct gossip_config *config,
                                 const struct gossip_record *saved,
                                 size_t count, const char **why);
struct gossip *__wrap_gossip_new(const struct gossip_config *config,
                                 const struct gossip_record *saved,
                                 size_t count, const char **why)
{
    struct gossip_config c = *config;

    taint_secret(c.seed, sizeof c.seed);
    taint_secret(c.sign_secret, sizeof c.sign_secret);
    return __real_gossip_new(&c, saved, count, why);
}

/* What a member says is public: keys, commitments, sealed and released shares,
 * hashes of masked slices. */
int __real_pack_body(uint8_t *out, size_t capacity, size_t *size,
                     const struct wire_message *m);
int __wrap_pack_body(uint8_t *out, size_t capacity, size_t *size,
                     const struct wire_message *m);
int __wrap_pack_body(uint8_t *out, size_t capacity, size_t *size,
                     const struct wire_message *m)
{
    static struct wire_message other;

    if (m->type == WIRE_KEYS)
        keys += taint_is_secret(&m->keys.epk, X25519_BYTES) &&
                taint_is_secret(&m->keys.mpk, X25519_BYTES) &&
                taint_is_secret(&m->keys.commit, GOSSIP_HASH_BYTES);
    taint_public(m, sizeof *m);
    other = *m;
    if (story == FALSE_SHARES && m->type == WIRE_UNMASK && m->sender == LIAR)
        other.unmask.shares[0][5] ^= 1;
    return __real_pack_body(out, capacity, size, &other);
}

void __real_identity_sign(uint8_t *signature, const char *domain,
                          const uint8_t *message, size_t size,
                          const uint8_t *key);
void __wrap_identity_sign(uint8_t *signature, const char *domain,
                          const uint8_t *message, size_t size,
                          const uint8_t *key);
void __wrap_identity_sign(uint8_t *signature, const char *domain,
                          const uint8_t *message, size_t size,
                          const uint8_t *key)
{
    __real_identity_sign(signature, domain, message, size, key);
    taint_public(signature, IDENTITY_SIGNATURE_BYTES);
}

/* Shares that were released are public. They are secret again here, so that
 * what rebuilds, compares and takes off masks is watched as well. */
int __real_shamir_join(uint8_t *secret, const struct shamir_share *shares,
                       size_t count);
int __wrap_shamir_join(uint8_t *secret, const struct shamir_share *shares,
                       size_t count);
int __wrap_shamir_join(uint8_t *secret, const struct shamir_share *shares,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        taint_secret(shares[i].y, sizeof shares[i].y);
    int status = __real_shamir_join(secret, shares, count);
    joins += taint_is_secret(secret, SHAMIR_BYTES);
    return status;
}

/* Whether a rebuilt secret fits is told to everybody. */
int __real_sodium_memcmp(const void *a, const void *b, size_t size);
int __wrap_sodium_memcmp(const void *a, const void *b, size_t size);
int __wrap_sodium_memcmp(const void *a, const void *b, size_t size)
{
    comparisons += taint_is_secret(a, size);
    return taint_public_int(__real_sodium_memcmp(a, b, size));
}

/* That a value is out of range becomes a DECLINE. */
int __real_fixed_encode(uint64_t *lanes, const double *values,
                        const struct fixed_shape *shape, size_t *at);
int __wrap_fixed_encode(uint64_t *lanes, const double *values,
                        const struct fixed_shape *shape, size_t *at);
int __wrap_fixed_encode(uint64_t *lanes, const double *values,
                        const struct fixed_shape *shape, size_t *at)
{
    vectors += taint_is_secret(values, shape->length * sizeof *values);
    return taint_public_int(__real_fixed_encode(lanes, values, shape, at));
}

/* A sum with all masks off is public: CHECK compares its hash. */
bool __real_open_sum_slice(struct gossip *g, uint32_t slice,
                           const uint8_t *masked);
bool __wrap_open_sum_slice(struct gossip *g, uint32_t slice,
                           const uint8_t *masked);
bool __wrap_open_sum_slice(struct gossip *g, uint32_t slice,
                           const uint8_t *masked)
{
    size_t length = g->open.length * g->open.lane;
    bool done = __real_open_sum_slice(g, slice, masked);

    sums += taint_is_secret(g->open.lanes, length);
    taint_public(g->open.lanes, length);
    return done;
}

/* The same: a sum's range is the first that is looked at. */
int __real_fixed_check(const uint64_t *lanes, uint32_t count,
                       const struct fixed_shape *shape, size_t *at);
int __wrap_fixed_check(const uint64_t *lanes, uint32_t count,
                       const struct fixed_shape *shape, size_t *at);
int __wrap_fixed_check(const uint64_t *lanes, uint32_t count,
                       const struct fixed_shape *shape, size_t *at)
{
    sums += taint_is_secret(lanes, shape->length * sizeof *lanes);
    taint_public(lanes, shape->length * sizeof *lanes);
    return __real_fixed_check(lanes, count, shape, at);
}

static double secret_value(uint32_t member, uint64_t round, size_t element)
{
    double x = pod_value(member, round, element);

    taint_secret(&x, sizeof x);
    return x;
}

/* Masked lanes and opened sums go beside the heads. */
static bool send(struct pod *p, struct pod_message *m)
{
    (void)p;
    taint_public(m->body, m->body_size);
    return true;
}

static bool live(struct pod *p, uint32_t member, const struct gossip_effect *e)
{
    enum gossip_note last =
        story == LOST_AFTER_Y ? GOSSIP_NOTE_RECV : GOSSIP_NOTE_PAIRED;

    return story == FALSE_SHARES || member != DYING || p->starts > p->members ||
           e->kind != GOSSIP_NOTE || e->note.code != last;
}

static void assert_ended(struct pod *p)
{
    p->value = NULL;
    if (story == LOST_BEFORE_Y) {
        for (uint32_t i = 0; i < p->members; i++)
            assert(i == DYING || (p->done[i] && p->reason[i] == 0));
        return;
    }
    assert(pod_exact(p, ROUNDS));
    assert(p->starts == p->members + (story == LOST_AFTER_Y));
    assert(story == LOST_AFTER_Y ||
           p->note_count[0][GOSSIP_NOTE_BAD_SHARE] > 0);
}

static void tell(enum story told, struct pod *p)
{
    unsigned least = ROUNDS * (p->members - 1);

    story = told;
    keys = vectors = joins = comparisons = sums = 0;
    p->value = secret_value;
    p->filter = send;
    p->allow = live;
    pod_begin(p);
    pod_run(p, 2000);
    if (p->down[DYING] && story == LOST_AFTER_Y)
        pod_revive(p, DYING);
    pod_run(p, 60000);
    assert_ended(p);
    assert(keys >= least && vectors >= least && sums >= least);
    assert(joins >= least && comparisons >= joins);
    pod_free(p);
}

int main(int argc, char **argv)
{
    int skip = taint_begin(argc, argv);

    if (skip != 0)
        return skip;
    tell(LOST_AFTER_Y, pod_new(4, 3, ROUNDS));
    tell(FALSE_SHARES, pod_new(4, 3, ROUNDS));
    struct pod *p = pod_new(5, 4, ROUNDS);
    p->config.active = p->config.check = true;
    p->config.on_loss = GOSSIP_CONTINUE;
    p->config.copies = 3;
    tell(LOST_BEFORE_Y, p);
    return 0;
}
