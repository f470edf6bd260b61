/* Pods that average: what the neighbours offer is agreed on inside the pod and
 * mixed, the same bits at every member. PROTOCOL.md, section 10.
 *
 * Between a round's opened sum and the next public state lie one or more
 * steps. In each, every pod offers a vector of words to those that hear it, its
 * members agree (t signatures, two phases, as AGREE) on which neighbours'
 * vectors are taken, by hash, and each reads them here. A pure state machine,
 * as gossip_step(): events in, effects out, no clock, no randomness.
 */

#ifndef GOSSIP_MIX_H
#define GOSSIP_MIX_H

#include "gossip/mixwire.h"

enum { MIX_NEIGHBOURS_MAX = MIXWIRE_MEMBERS_MAX };

struct mix_pod {
    uint32_t members, threshold;
    uint32_t
        believed; /* signatures that make an offer true: 1, active: c + 1 */
    const uint8_t (*keys)[IDENTITY_KEY_BYTES]; /* [members], borrowed */
};

struct mix_config {
    uint32_t pod, self, pod_count;
    const struct mix_pod *pods; /* [pod_count], borrowed */
    bool exact;                 /* every neighbour is waited for, for ever */
    uint32_t stages;            /* steps of a round, 1 or 2 */
    const uint32_t *neighbours; /* [neighbour_count] pods ever heard, ascending,
                                   copied */
    size_t neighbour_count;     /* 0 .. MIX_NEIGHBOURS_MAX */
    size_t words_max;           /* of a vector */
    uint64_t patience_ms;       /* how long a silent neighbour is waited for */
    uint64_t resend_ms, ballot_ms;
    uint8_t network[MIXWIRE_HASH_BYTES], charter[MIXWIRE_HASH_BYTES];
    uint8_t sign_secret[IDENTITY_SECRET_BYTES];
    int (*verify)(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key);
    void *verify_context;
};

enum mix_effect_kind {
    MIX_SEND,
    MIX_SAVE /* durable before any later effect is performed */
};

struct mix_effect {
    enum mix_effect_kind kind;
    uint32_t pod, to;    /* SEND */
    const uint8_t *head; /* SAVE: the record */
    size_t head_size;
    const uint64_t *words; /* beside an OFFER, or NULL */
    size_t word_count;
};

/* One step: which pods are heard in it and which hear this one. */
struct mix_step {
    uint64_t round;
    uint32_t stage;
    const uint32_t *in, *out; /* pods; `in` is of the neighbours */
    size_t in_count, out_count;
    const uint64_t *words; /* [word_count] this pod's offer, copied */
    size_t word_count;
};

struct mix; /* opaque */

/* saved: the newest MIX_SAVE record, or NULL. NULL: out of memory, or the
 * record is none (*why says which). */
struct mix *mix_new(const struct mix_config *config, const uint8_t *saved,
                    size_t saved_size, const char **why);
void mix_free(struct mix *mix); /* wipes the signing key */

/* Effects add up, and live until mix_clear. */
void mix_clear(struct mix *mix);
void mix_begin(struct mix *mix, const struct mix_step *step, uint64_t now_ms);
void mix_receive(struct mix *mix, uint32_t from_pod, uint32_t from,
                 const uint8_t *head, size_t head_size, const uint8_t *body,
                 size_t body_size, uint64_t now_ms);
void mix_tick(struct mix *mix, uint64_t now_ms);
/* No step is under way any more: its state came by another way. */
void mix_abandon(struct mix *mix);
/* The study is over here: the neighbours are told. */
void mix_over(struct mix *mix, uint64_t now_ms);
const struct mix_effect *mix_effects(const struct mix *mix, size_t *count);
uint64_t mix_wake(const struct mix *mix); /* UINT64_MAX: none */

/* The step is decided and all that it takes is here. */
bool mix_ready(const struct mix *mix);
/* After that: what `pod` offered, [word_count], or NULL if it is not taken. */
const uint64_t *mix_taken(const struct mix *mix, uint32_t pod);

struct mix_view {
    uint64_t dropped;     /* messages that were refused */
    uint64_t equivocated; /* neighbours a member of which signed two offers */
    uint64_t gone;        /* neighbours that are not waited for; by place */
    uint64_t over;        /* neighbours whose study is over */
    bool all_over;        /* all of them */
    uint64_t bytes_sent;
    uint64_t taken; /* neighbours in the newest decision */
    uint64_t alone; /* decisions that left somebody out */
};
void mix_view(const struct mix *mix, struct mix_view *view);

#endif
