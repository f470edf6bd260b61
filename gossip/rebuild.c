#include "gossip/rebuild.h"

#include <sodium.h>
#include <string.h>

#include "gossip/keys.h"
#include "gossip/mail.h"
#include "gossip/members.h"

/* The secret's public image is what its owner's KEYS say. */
static bool fits(const struct gossip *g, uint32_t j,
                 const uint8_t secret[SHAMIR_BYTES])
{
    uint8_t input[4 + GOSSIP_HASH_BYTES + SHAMIR_BYTES] = {'s', 'e', 'l', 'f'};
    uint8_t image[GOSSIP_HASH_BYTES];

    if ((g->agree[WIRE_U].value.members & engine_bit(j)) == 0) {
        x25519_base(image, secret);
        return sodium_memcmp(image, g->keys[j].mpk, sizeof image) == 0;
    }
    memcpy(input + 4, g->ctx, GOSSIP_HASH_BYTES);
    memcpy(input + 4 + GOSSIP_HASH_BYTES, secret, SHAMIR_BYTES);
    wire_hash(image, input, sizeof input);
    sodium_memzero(input, sizeof input);
    return sodium_memcmp(image, g->keys[j].commit, sizeof image) == 0;
}

/* i's share of j's secret is the one that j dealt to it. Both are public now.
 */
static bool true_share(const struct gossip *g, uint32_t i, uint32_t j)
{
    bool survives = (g->agree[WIRE_U].value.members & engine_bit(j)) != 0;
    const uint8_t *dealt = survives ? g->keys[j].of_b[i] : g->keys[j].of_msk[i];
    uint8_t hash[GOSSIP_HASH_BYTES];

    keys_share_hash(hash, g->unmasks[i].unmask.shares[j]);
    return memcmp(hash, dealt, sizeof hash) == 0;
}

static uint64_t true_shares(struct gossip *g, uint32_t j, uint64_t responders)
{
    uint64_t good = 0;

    for (uint32_t i = 0; i < g->config.members; i++) {
        if ((responders & engine_bit(i)) == 0)
            continue;
        if (true_share(g, i, j)) {
            good |= engine_bit(i);
        } else if ((g->bad_shares & engine_bit(i)) == 0) {
            g->bad_shares |= engine_bit(i);
            mail_note(g, GOSSIP_NOTE_BAD_SHARE, engine_bit(i), j, NULL);
        }
    }
    return good;
}

static bool rebuild_one(struct gossip *g, uint32_t j, uint64_t responders)
{
    struct shamir_share shares[GOSSIP_MEMBERS_MAX];
    uint64_t good = true_shares(g, j, responders);
    size_t count = 0;

    if (engine_count(good) < g->config.threshold)
        return false;
    for (uint32_t i = 0; count < g->config.threshold; i++) {
        if ((good & engine_bit(i)) == 0)
            continue;
        shares[count].x = (uint8_t)(i + 1);
        memcpy(shares[count++].y, g->unmasks[i].unmask.shares[j], SHAMIR_BYTES);
    }
    (void)shamir_join(g->secrets[j], shares, count);
    sodium_memzero(shares, sizeof shares);
    if (fits(g, j, g->secrets[j]))
        return true;
    if ((g->bad_deals & engine_bit(j)) == 0) {
        g->bad_deals |= engine_bit(j);
        mail_note(g, GOSSIP_NOTE_BAD_DEAL, engine_bit(j), 0, NULL);
    }
    return false;
}

static uint64_t responders_of(const struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V], *u = &g->agree[WIRE_U];
    uint64_t responders = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        if ((g->have_unmasks & v->value.members & engine_bit(j)) &&
            g->unmasks[j].unmask.members == v->value.members &&
            memcmp(g->unmasks[j].unmask.cert, u->hash, GOSSIP_HASH_BYTES) == 0)
            responders |= engine_bit(j);
    return responders;
}

bool rebuild_advance(struct gossip *g)
{
    uint64_t responders = responders_of(g), absent;
    uint64_t members = g->agree[WIRE_V].value.members;

    if (g->rebuilt || engine_count(responders) < g->config.threshold ||
        responders == g->rebuild_tried)
        return false;
    /* V may be certified without us, by KEYS that are not here or that their
     * owner did not show us: nobody's shares can be judged by others. */
    if (!keys_are_of(g, &g->agree[WIRE_V].value))
        return false;
    g->rebuild_tried = responders;
    for (uint32_t j = 0; j < g->config.members; j++)
        if ((members & ~g->have_secrets & engine_bit(j)) &&
            rebuild_one(g, j, responders))
            g->have_secrets |= engine_bit(j);
    if (members & ~g->have_secrets)
        return false;
    g->rebuilt = true;
    absent = members & members_all_gone(g);
    if (absent != 0)
        mail_note(g, GOSSIP_NOTE_REBUILT, absent, 0, NULL);
    return true;
}
