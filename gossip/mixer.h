/* What the files of gossip/mix share. Not for drivers. */

#ifndef GOSSIP_MIXER_H
#define GOSSIP_MIXER_H

#include "gossip/mix.h"

enum {
    MIXER_KEPT = 6, /* steps: PAST, the one under way, FUTURE */
    MIXER_PAST = 3,
    MIXER_FUTURE = 2,
    MIXER_OWN = 16, /* steps whose own offer is kept: on directed graphs a pod
                       may be so far ahead of one that hears it */
    MIXER_STAGES = 2,
    MIXER_PROMISE_BYTES = 16 + MIXWIRE_MAX, /* saved */
    MIXER_EFFECTS = 512,
    MIXER_ARENA_BYTES = 65536
};

/* A neighbour's offer: who signed which hash, and one vector. */
struct mixer_offer {
    size_t signer_count;
    struct mixer_signer {
        uint32_t member;
        uint8_t hash[MIXWIRE_HASH_BYTES];
        uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    } * signers; /* [signers_max] */
    bool has_words;
    uint8_t hash[MIXWIRE_HASH_BYTES]; /* of words */
    size_t word_count;
    uint64_t *words; /* [words_max] */
};

struct mixer_head {
    size_t size;
    uint8_t bytes[MIXWIRE_MAX];
};

struct mixer_entry {
    bool known, begun, decided;
    uint64_t seq;
    struct mixer_offer *offers; /* [neighbour_count] */
    uint64_t in;                /* of the neighbours */
    uint32_t out[MIX_NEIGHBOURS_MAX];
    size_t out_count, word_count;
    uint64_t *words; /* [words_max] our own */
    struct mixwire_value value;
    struct mixer_head cert;
};

struct mixer_own {
    bool known;
    uint64_t seq;
    struct mixer_head head;
    size_t word_count;
    uint64_t *words; /* [words_max] */
};

struct mixer_vote {
    bool cast;
    uint32_t ballot;
    uint8_t hash[MIXWIRE_HASH_BYTES];
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
};

/* What was voted in a step. A member that comes back makes all steps of its
 * round again: its votes in each of them stand. */
struct mixer_promise {
    uint64_t seq;   /* UINT64_MAX: none yet */
    uint32_t voted; /* ballot + 1 of the newest PREPARE */
    bool locked;
    uint32_t lock_ballot;
    struct mixwire lock; /* as a PROPOSE: value and its PREPAREs */
};

/* What a fellow said of a step that has not begun here. */
struct mixer_early {
    uint64_t seq;
    bool has[3];
    struct mixer_head heads[3]; /* PROPOSE, PREPARE, COMMIT */
};

struct mix {
    struct mix_config config;
    uint32_t neighbours[MIX_NEIGHBOURS_MAX];
    size_t signers_max;
    uint8_t study[MIXWIRE_HASH_BYTES];
    uint64_t now_ms;
    bool running; /* a step is under way */
    bool started; /* one ever was: `seq` is its */
    uint64_t seq;
    uint64_t began_ms;
    struct mixer_entry entries[MIXER_KEPT];
    struct mixer_own owns[MIXER_OWN];

    /* the agreement of the step under way */
    uint32_t ballot;
    uint64_t ballot_ends_ms;
    bool proposed, prepared, committed; /* in this ballot */
    bool has_proposal;
    struct mixwire proposal;
    struct mixer_head proposal_head, prepare_head, commit_head;
    struct mixer_vote prepares[MIXWIRE_MEMBERS_MAX];
    struct mixer_vote commits[MIXWIRE_MEMBERS_MAX];
    uint32_t reached[MIXWIRE_MEMBERS_MAX]; /* newest ballot heard of each in */
    struct mixer_promise promises[MIXER_STAGES];
    uint8_t record[MIXER_STAGES * MIXER_PROMISE_BYTES];

    struct mixer_early *early; /* [members of this pod] */

    /* neighbours, by place */
    uint64_t ever_in, gone, over, equivocated;
    uint64_t ahead[MIX_NEIGHBOURS_MAX];    /* newest step heard of, + 1, from as
                                              many as are believed */
    uint64_t (*said)[MIXWIRE_MEMBERS_MAX]; /* [neighbour_count] it, by each */
    uint64_t said_over[MIX_NEIGHBOURS_MAX]; /* members */
    uint64_t heard_ms[MIX_NEIGHBOURS_MAX];
    bool is_over;

    uint64_t usual_ms; /* from a step's begin to its decision, with all there */
    uint64_t want_ms, want_every_ms;
    uint32_t tick;
    uint64_t dropped, bytes_sent, alone;
    struct mixwire incoming, scratch;
    struct mix_effect effects[MIXER_EFFECTS];
    size_t effect_count;
    uint8_t arena[MIXER_ARENA_BYTES];
    size_t arena_used;
};

static inline uint64_t mixer_bit(size_t place)
{
    return UINT64_C(1) << place;
}

static inline uint32_t mixer_count(uint64_t set)
{
    uint32_t count = 0;

    for (; set != 0; set &= set - 1)
        count++;
    return count;
}

static inline const struct mix_pod *mixer_pod(const struct mix *m)
{
    return &m->config.pods[m->config.pod];
}

static inline struct mixer_promise *mixer_promise(struct mix *m)
{
    return &m->promises[m->seq % m->config.stages];
}

/* Members of the neighbour at `place` whose same word is believed. */
static inline uint32_t mixer_signers_needed(const struct mix *m, size_t place)
{
    return m->config.pods[m->neighbours[place]].believed;
}

int mixer_place(const struct mix *m, uint32_t pod); /* -1: no neighbour */
/* The step's slot, taken for it if it may be; else NULL. */
struct mixer_entry *mixer_entry(struct mix *m, uint64_t seq);
struct mixer_entry *mixer_current(struct mix *m); /* of m->seq */
size_t mixer_write(struct mix *m, struct mixer_head *head,
                   struct mixwire *message, uint64_t seq);
void mixer_send(struct mix *m, uint32_t pod, uint32_t to,
                const struct mixer_head *head, const uint64_t *words,
                size_t word_count);
void mixer_send_fellows(struct mix *m, const struct mixer_head *head);
/* The head of somebody's message as it was signed. */
void mixer_keep(struct mixer_head *head, const struct mixwire *message);
int mixer_verify(const struct mix *m, const struct mixwire *message);

/* What enough members of the neighbour sign, or NULL; whether they sign that.
 */
bool mixer_backed(const struct mix *m, const struct mixer_entry *e,
                  size_t place, const uint8_t hash[MIXWIRE_HASH_BYTES]);
const uint8_t *mixer_believed(const struct mix *m, const struct mixer_entry *e,
                              size_t place);
bool mixer_holds(const struct mixer_entry *e, size_t place,
                 const uint8_t hash[MIXWIRE_HASH_BYTES]);
void mixer_send_offer(struct mix *m, uint32_t pod, uint32_t to,
                      const struct mixer_entry *e, size_t place);

#endif
