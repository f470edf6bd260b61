/* What the engine's files share: one member's whole state. Not for drivers. */

#ifndef GOSSIP_ENGINE_H
#define GOSSIP_ENGINE_H

#include "crypto/shamir.h"
#include "crypto/x25519.h"
#include "gossip/effects.h"
#include "gossip/gossip.h"
#include "gossip/wire.h"

/* Where a member stands in its attempt; each waits for what its name says. */
enum phase {
    PHASE_START,  /* nothing done yet, not even the state's shape is known */
    PHASE_ABSORB, /* the driver's answer: the next state, or its shape */
    PHASE_OUT,    /* of this round: we cannot know what we released in it */
    PHASE_KEYS,
    PHASE_SHARES,
    PHASE_V,    /* ACKs, and the agreement on V */
    PHASE_Y,    /* this site's vector, everybody's slices */
    PHASE_U,    /* RECVs, and the agreement on U */
    PHASE_OPEN, /* shares and slice sums */
    PHASE_FINISHED,
    PHASE_ENDED
};

/* A signed head as it was sent, kept to send again. size 0: none. */
struct mail {
    size_t size, capacity;
    uint8_t *bytes; /* [capacity], part of gossip->mail_bytes */
};

struct vote {
    bool cast;
    uint32_t ballot;
    uint8_t value[GOSSIP_HASH_BYTES];
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
};

/* A value with the PREPAREs of one ballot for it. quorum.members 0: none. */
struct lock {
    struct wire_value value;
    struct wire_quorum quorum;
};

/* AGREE of one kind (PROTOCOL.md, section 4). */
struct agree {
    bool running;
    uint32_t ballot;
    uint64_t ballot_began_ms, ballot_ends_ms;
    uint32_t proposed_ballot; /* ballot + 1 of our newest own PROPOSE */
    bool has_proposal;        /* of `ballot` or a later one */
    struct wire_message proposal;
    uint8_t proposal_hash[GOSSIP_HASH_BYTES];
    struct mail proposal_mail;
    struct vote prepares[GOSSIP_MEMBERS_MAX]; /* each member's newest */
    struct vote commits[GOSSIP_MEMBERS_MAX];
    struct mail prepare, commit, locked;   /* our own newest */
    uint32_t reported[GOSSIP_MEMBERS_MAX]; /* ballot + 1 of a LOCK seen */
    struct lock own, best; /* our lock; the highest that we know of */
    bool certified;
    struct wire_value value;
    uint8_t hash[GOSSIP_HASH_BYTES];
    struct mail cert;
};

struct ack {
    uint64_t members;
    uint8_t keys[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
    uint8_t hash[GOSSIP_HASH_BYTES]; /* of its body, as evidence */
};

/* One round's opened sum, being collected or kept for those who lag. */
struct result {
    bool has_v, has_u;
    bool taken; /* others had opened it, and say so: only u.members is set */
    uint64_t round, attempt;
    struct wire_value v, u;
    uint8_t hash_v[GOSSIP_HASH_BYTES], hash_u[GOSSIP_HASH_BYTES];
    struct mail cert_v, cert_u;
    struct mail sums[GOSSIP_MEMBERS_MAX]; /* by slice */
    uint64_t signers[GOSSIP_MEMBERS_MAX];
    uint64_t have;  /* slices; with config.check: those that stood it */
    size_t length;  /* elements of the vector */
    size_t lane;    /* bytes of each */
    uint8_t *lanes; /* [lanes_max]; of the past one, in `record` */
};

struct gossip {
    struct gossip_config config;
    struct gossip_field fields[GOSSIP_FIELDS_MAX];
    struct prg prg;
    struct effects effects;
    uint64_t now_ms;
    enum phase phase;
    uint64_t phase_began_ms, deadline_ms, woken_ms;
    uint64_t dropped, bytes_sent;
    uint8_t *mail_bytes; /* [mail_size] */
    size_t mail_size;
    struct wire_message incoming; /* the one being handled */

    /* the public state */
    uint64_t round;
    uint8_t *state, *next; /* [state_size], then the cohorts' history */
    uint8_t state_hash[GOSSIP_HASH_BYTES];
    struct fixed_shape shape;
    uint64_t absorbing; /* round of `next` while PHASE_ABSORB */
    bool absorbing_sum; /* false: only the shape is asked */
    double *values;     /* [length_max], the decoded sum */

    /* this site's vector of this round */
    bool asked;
    bool has_plain;
    uint8_t *plain, *masked; /* [lanes_max] */
    double *carry;   /* [length_max] what clipping has cut off so far, in its
                        place in `record`; NULL: no round's lanes are a grid */
    uint8_t *record; /* [record_state_size] what GOSSIP_SLOT_STATE gets */
    uint8_t *record_bytes; /* the memory it lies in */
    uint8_t *sum_record;   /* [record_sum_size] with config.keeps_sum; else the
                              open lanes only. They lie in it */

    /* the attempt */
    uint64_t attempt;
    uint8_t ctx[GOSSIP_HASH_BYTES]; /* of ctx_round and ctx_attempt */
    uint64_t ctx_round, ctx_attempt;
    struct x25519_pair epk, mpk;
    uint8_t b[SHAMIR_BYTES];
    uint64_t have_keys, have_sealed, have_shares, have_acks, equivocated;
    uint64_t enough_ms; /* since when the phase could go on; UINT64_MAX */
    struct keys {
        uint8_t epk[X25519_BYTES], mpk[X25519_BYTES];
        uint8_t commit[GOSSIP_HASH_BYTES], hash[GOSSIP_HASH_BYTES];
        uint8_t prepared[GOSSIP_HASH_BYTES];
        uint8_t of_b[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
        uint8_t of_msk[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
    } * keys;                                             /* [members] */
    uint8_t deal[GOSSIP_MEMBERS_MAX][WIRE_SECRETS_BYTES]; /* ours, for j */
    uint8_t sealed[GOSSIP_MEMBERS_MAX][WIRE_SEALED_BYTES];
    uint8_t shares[GOSSIP_MEMBERS_MAX][WIRE_SECRETS_BYTES]; /* of j, for us */
    struct ack *acks;                                       /* [members] */
    struct agree agree[WIRE_KINDS];
    bool y_sent, recv_sent, unmask_sent;
    uint8_t kept_v[GOSSIP_HASH_BYTES]; /* V under which slices are kept */
    uint64_t kept_members;
    uint8_t *kept;    /* [copies][members][slice_max] */
    size_t kept_most; /* bytes of each that may be written since the last wipe
                       */
    size_t slice_max; /* bytes */
    uint64_t kept_from[GOSSIP_MEMBERS_MAX]; /* [k]: who's k-th slice is here */
    uint8_t y_hash[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES]; /* of y_mail */
    uint64_t have_recvs, have_unmasks;
    struct recv {
        uint64_t members;
        uint8_t hash_v[GOSSIP_HASH_BYTES], state[GOSSIP_HASH_BYTES];
        uint8_t hash[GOSSIP_HASH_BYTES];
        uint8_t ys[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
    } * recvs;                    /* [members] */
    struct wire_message *unmasks; /* [members] */
    bool rebuilt;
    uint64_t have_secrets;          /* whose secrets are rebuilt */
    uint64_t rebuild_tried;         /* responders of the last failed try */
    uint64_t bad_shares, bad_deals; /* who was named for them */
    uint8_t secrets[GOSSIP_MEMBERS_MAX][SHAMIR_BYTES]; /* of b or msk */
    uint64_t opened_ms;

    /* CHECK (config.check) */
    struct check {
        bool sent;
        uint64_t spoken; /* slices whose SUM we have said */
        uint64_t truth;  /* slices whose sum we know by our own adding up */
        uint8_t hash[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES]; /* of these */
        uint64_t heard; /* slices whose SUM is here, from whom, its hash */
        uint32_t heard_from[GOSSIP_MEMBERS_MAX];
        uint8_t heard_hash[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
        uint64_t fits;        /* slices with a SUM of another that is true */
        uint64_t have_checks; /* whose CHECK is here */
        uint64_t lied;        /* who was named in this attempt */
        uint32_t audit;       /* slice + 1 that is asked for; 0: none */
        uint64_t audit_from;  /* whose masked lanes of it are here */
        struct {
            uint64_t slices;
            uint8_t hashes[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
        } checks[GOSSIP_MEMBERS_MAX];
    } * check;
    uint8_t *audit_lanes; /* [members][slice_max] */

    /* changing cohorts (on_loss: continue) */
    bool released;  /* in this round, over `bound`, and not dead yet: nothing is
                       released over others */
    uint64_t bound; /* 0: not known, our store is lost */
    uint64_t released_attempt;
    uint64_t certified; /* the newest U of an earlier attempt of this round */
    uint64_t certified_attempt; /* that + 1; 0: none */
    struct mail bound_mail;     /* its certificate, if we released over it */
    bool fresh;    /* began without a store: what we said is not known */
    uint64_t here; /* who has said, in this life and round, that it has got no
                      further than we have */
    uint8_t
        prepared[GOSSIP_HASH_BYTES];     /* the U that we PREPAREd last in this
                                            round; zero: none, as far as known */
    uint64_t declined;                   /* sites that cannot contribute */
    uint64_t stops;                      /* who signed STOP */
    uint64_t closed[GOSSIP_MEMBERS_MAX]; /* attempt + 1 that j has closed */

    /* signed heads of the attempt, by sender; shares_out by receiver */
    struct mail keys_mail[GOSSIP_MEMBERS_MAX];
    struct mail shares_out[GOSSIP_MEMBERS_MAX];
    struct mail acks_mail[GOSSIP_MEMBERS_MAX];
    struct mail y_mail[GOSSIP_MEMBERS_MAX];
    struct mail y_other[GOSSIP_MEMBERS_MAX]; /* another than U fixes */
    struct mail recv_mail[GOSSIP_MEMBERS_MAX];
    struct mail unmask_mail[GOSSIP_MEMBERS_MAX];
    struct mail check_mail[GOSSIP_MEMBERS_MAX];
    struct mail close_mail[GOSSIP_MEMBERS_MAX];
    struct {
        uint64_t round, attempt;
        struct mail mail;
    } future[GOSSIP_MEMBERS_MAX]; /* KEYS of an attempt to come */

    struct result open, past;
    bool resumes; /* `open` is the sum that a life before this one opened */

    /* what was said in the attempt of before a restart */
    struct {
        uint64_t round, attempt;
        bool released;
        uint64_t bound, released_attempt, certified, certified_attempt;
        bool fresh;
        uint8_t prepared[GOSSIP_HASH_BYTES];
        struct mail mails[9]; /* as in record_promise */
        size_t count;
    } said;

    /* who is here */
    bool up[GOSSIP_MEMBERS_MAX];
    uint64_t link_ms[GOSSIP_MEMBERS_MAX];
    uint64_t greeted, differs;
    uint64_t diverged; /* proposed from another state than ours */
    uint64_t met;      /* ever linked or heard of by KEYS since our start */
    uint64_t awaited;  /* since awaited_ms */
    uint64_t awaited_ms;
    bool awaited_told;

    /* asking and answering */
    uint32_t tick;
    uint64_t want_ms, want_every_ms;
    uint64_t asked_ms[GOSSIP_MEMBERS_MAX];
    struct { /* how often lately j's WANT was answered */
        uint64_t since_ms;
        uint32_t count;
    } answered[GOSSIP_MEMBERS_MAX];
    struct settled { /* the round's sum, as its sender has opened it */
        bool known;
        uint64_t attempt, members;
        uint8_t hash[GOSSIP_HASH_BYTES];
    } settled[GOSSIP_MEMBERS_MAX];
    struct { /* a newer state, as its sender signed it; round 0: none */
        uint64_t round, attempt;
        uint8_t hash[GOSSIP_HASH_BYTES];
    } offers[GOSSIP_MEMBERS_MAX];

    /* the end */
    struct mail done_mail[GOSSIP_MEMBERS_MAX];
    uint64_t have_dones;
    uint64_t finished_ms;
    struct mail end_mail; /* the STOP or DECLINE that ended the study */
    enum gossip_reason reason;
    uint64_t end_members;
    uint32_t end_decline;
    bool told, left;

    uint64_t accused; /* the evidence, by member; second.size 0: recomputed */
    struct {
        struct mail first, second;
    } evidence[GOSSIP_MEMBERS_MAX];
};

/* All memory of an engine whose config stands, and its end, secrets wiped.
 * engine_make returns 0 or -1: out of memory, engine_free cleans up. */
int engine_make(struct gossip *g);
void engine_free(struct gossip *g);

/* Bytes of the state with what follows it, and its hash. */
size_t engine_state_size(const struct gossip *g);
void engine_hash_state(struct gossip *g);

/* Bytes of all kept slices. */
size_t engine_kept_size(const struct gossip *g);

static inline uint64_t engine_bit(uint32_t member)
{
    return UINT64_C(1) << member;
}

static inline uint32_t engine_count(uint64_t members)
{
    return (uint32_t)__builtin_popcountll(members);
}

/* All members: the cohort of wait and stop. */
static inline uint64_t engine_all(const struct gossip *g)
{
    return g->config.members == 64 ? UINT64_MAX
                                   : engine_bit(g->config.members) - 1;
}

#endif
