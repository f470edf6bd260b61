#include "gossip/mixer.h"

#include <assert.h>
#include <string.h>

int mixer_place(const struct mix *m, uint32_t pod)
{
    for (size_t k = 0; k < m->config.neighbour_count; k++)
        if (m->neighbours[k] == pod)
            return (int)k;
    return -1;
}

struct mixer_entry *mixer_entry(struct mix *m, uint64_t seq)
{
    struct mixer_entry *e = &m->entries[seq % MIXER_KEPT];

    if (e->known && e->seq == seq)
        return e;
    if ((m->started &&
         (seq + MIXER_PAST < m->seq || seq > m->seq + MIXER_FUTURE)) ||
        (!m->started && e->known && e->seq > seq))
        return NULL;
    e->known = true;
    e->begun = e->decided = false;
    e->seq = seq;
    for (size_t k = 0; k < m->config.neighbour_count; k++) {
        e->offers[k].signer_count = 0;
        e->offers[k].has_words = false;
    }
    return e;
}

struct mixer_entry *mixer_current(struct mix *m)
{
    struct mixer_entry *e = &m->entries[m->seq % MIXER_KEPT];

    assert(m->started && e->known && e->seq == m->seq);
    return e;
}

size_t mixer_write(struct mix *m, struct mixer_head *head,
                   struct mixwire *message, uint64_t seq)
{
    message->pod = m->config.pod;
    message->sender = m->config.self;
    message->round = seq / m->config.stages;
    message->stage = (uint32_t)(seq % m->config.stages);
    head->size =
        mixwire_write(head->bytes, message, m->study, m->config.sign_secret);
    return head->size;
}

void mixer_keep(struct mixer_head *head, const struct mixwire *message)
{
    struct mixwire copy = *message;

    head->size = mixwire_write(head->bytes, &copy, NULL, NULL);
}

static const uint8_t *take(struct mix *m, const uint8_t *bytes, size_t size)
{
    uint8_t *at = m->arena + m->arena_used;

    if (m->arena_used + size > sizeof m->arena)
        return NULL;
    memcpy(at, bytes, size);
    m->arena_used += size;
    return at;
}

/* What does not fit is lost, as on any line: it is asked for again. The last
 * effects are kept for SAVEs. */
static void send_taken(struct mix *m, uint32_t pod, uint32_t to,
                       const uint8_t *head, size_t size, const uint64_t *words,
                       size_t word_count)
{
    if (head == NULL || m->effect_count + 8 > MIXER_EFFECTS)
        return;
    m->effects[m->effect_count++] =
        (struct mix_effect){.kind = MIX_SEND,
                            .pod = pod,
                            .to = to,
                            .head = head,
                            .head_size = size,
                            .words = words,
                            .word_count = words == NULL ? 0 : word_count};
    m->bytes_sent += size + (words == NULL ? 0 : word_count * 8);
}

void mixer_send(struct mix *m, uint32_t pod, uint32_t to,
                const struct mixer_head *head, const uint64_t *words,
                size_t word_count)
{
    send_taken(m, pod, to, take(m, head->bytes, head->size), head->size, words,
               word_count);
}

void mixer_send_fellows(struct mix *m, const struct mixer_head *head)
{
    const uint8_t *bytes = take(m, head->bytes, head->size);

    for (uint32_t j = 0; j < mixer_pod(m)->members; j++)
        if (j != m->config.self)
            send_taken(m, m->config.pod, j, bytes, head->size, NULL, 0);
}

int mixer_verify(const struct mix *m, const struct mixwire *message)
{
    uint8_t covered[MIXWIRE_COVERED_BYTES];

    mixwire_covered(covered, message, m->study);
    return m->config.verify(m->config.verify_context, message->signature,
                            mixwire_domain, covered, sizeof covered,
                            m->config.pods[message->pod].keys[message->sender]);
}

bool mixer_backed(const struct mix *m, const struct mixer_entry *e,
                  size_t place, const uint8_t hash[MIXWIRE_HASH_BYTES])
{
    const struct mixer_offer *o = &e->offers[place];
    uint32_t same = 0;

    for (size_t i = 0; i < o->signer_count; i++)
        same += memcmp(o->signers[i].hash, hash, MIXWIRE_HASH_BYTES) == 0;
    return same >= mixer_signers_needed(m, place);
}

/* Of two versions the one that is proposed: so the pod gets to one of them. */
const uint8_t *mixer_believed(const struct mix *m, const struct mixer_entry *e,
                              size_t place)
{
    const struct mixer_offer *o = &e->offers[place];
    const struct mixwire_value *proposed = &m->proposal.value;

    if (m->running && e->seq == m->seq && m->has_proposal &&
        (proposed->used & mixer_bit(place)) &&
        mixer_backed(m, e, place, proposed->hashes[place]))
        return proposed->hashes[place];
    for (size_t i = 0; i < o->signer_count; i++)
        if (mixer_backed(m, e, place, o->signers[i].hash))
            return o->signers[i].hash;
    return NULL;
}

bool mixer_holds(const struct mixer_entry *e, size_t place,
                 const uint8_t hash[MIXWIRE_HASH_BYTES])
{
    const struct mixer_offer *o = &e->offers[place];

    return o->has_words && memcmp(o->hash, hash, MIXWIRE_HASH_BYTES) == 0;
}

void mixer_send_offer(struct mix *m, uint32_t pod, uint32_t to,
                      const struct mixer_entry *e, size_t place)
{
    const struct mixer_offer *o = &e->offers[place];
    struct mixer_head head;
    bool words = false;

    for (size_t i = 0; i < o->signer_count; i++) {
        struct mixwire message = {.type = MIXWIRE_OFFER,
                                  .pod = m->neighbours[place],
                                  .sender = o->signers[i].member,
                                  .round = e->seq / m->config.stages,
                                  .stage =
                                      (uint32_t)(e->seq % m->config.stages)};
        memcpy(message.hash, o->signers[i].hash, sizeof message.hash);
        memcpy(message.signature, o->signers[i].signature,
               sizeof message.signature);
        mixer_keep(&head, &message);
        bool with = !words && mixer_holds(e, place, message.hash);
        mixer_send(m, pod, to, &head, with ? o->words : NULL, o->word_count);
        words = words || with;
    }
}
