#include "gossip/value.h"

#include <string.h>

#include "gossip/cohort.h"
#include "gossip/keys.h"
#include "gossip/survivors.h"

bool value_candidate(const struct gossip *g, enum wire_kind kind,
                     struct wire_value *value, uint64_t *evidence,
                     uint64_t *heard)
{
    uint32_t turn = (uint32_t)(g->round + g->attempt) + g->agree[kind].ballot;

    *heard = kind == WIRE_V ? g->have_acks : survivors_owners(g);
    if (engine_count(*heard) < g->config.threshold)
        return false;
    if (kind == WIRE_V) {
        *evidence = keys_senders(g, turn);
        keys_value(g, value, *evidence);
    } else {
        *evidence = survivors_reporters(g, turn);
        survivors_value(g, value, *evidence);
    }
    return engine_count(*evidence) >= g->config.threshold;
}

bool value_sound(const struct gossip *g, const struct wire_value *value)
{
    const struct agree *v = &g->agree[WIRE_V];

    if (memcmp(value->state, g->state_hash, GOSSIP_HASH_BYTES) != 0 ||
        engine_count(value->members) < g->config.threshold ||
        !cohort_allows(g, value->members))
        return false;
    if (value->kind == WIRE_U)
        return v->certified &&
               memcmp(value->hash_v, v->hash, GOSSIP_HASH_BYTES) == 0 &&
               (value->members & ~v->value.members) == 0;
    for (uint32_t j = 0; j < g->config.members; j++)
        if ((value->members & engine_bit(j)) &&
            ((g->have_keys & engine_bit(j)) == 0 ||
             (g->equivocated & engine_bit(j)) ||
             memcmp(value->said[j], g->keys[j].hash, GOSSIP_HASH_BYTES) != 0))
            return false;
    return true;
}

static const uint8_t *evidence_hash(const struct gossip *g, enum wire_kind kind,
                                    uint32_t member)
{
    if (kind == WIRE_V)
        return g->have_acks & engine_bit(member) ? g->acks[member].hash : NULL;
    return survivors_owners(g) & engine_bit(member) ? g->recvs[member].hash
                                                    : NULL;
}

bool value_shown(const struct gossip *g, const struct wire_message *p)
{
    enum wire_kind kind = p->propose.kind;
    struct wire_value value;
    uint8_t ours[GOSSIP_HASH_BYTES], theirs[GOSSIP_HASH_BYTES];

    if (engine_count(p->propose.evidence) < g->config.threshold)
        return false;
    for (uint32_t j = 0; j < g->config.members; j++) {
        if ((p->propose.evidence & engine_bit(j)) == 0)
            continue;
        const uint8_t *hash = evidence_hash(g, kind, j);
        if (hash == NULL ||
            memcmp(hash, p->propose.hashes[j], GOSSIP_HASH_BYTES) != 0)
            return false;
    }
    if (kind == WIRE_V)
        keys_value(g, &value, p->propose.evidence);
    else
        survivors_value(g, &value, p->propose.evidence);
    wire_value_hash(ours, &value);
    wire_value_hash(theirs, &p->propose.value);
    return memcmp(ours, theirs, sizeof ours) == 0;
}

void value_show(const struct gossip *g, struct wire_message *m)
{
    for (uint32_t j = 0; j < g->config.members; j++)
        if (m->propose.evidence & engine_bit(j))
            memcpy(m->propose.hashes[j], evidence_hash(g, m->propose.kind, j),
                   GOSSIP_HASH_BYTES);
}
