/* The messages between members, and their only parser; pack.h writes them.
 *
 * head = MessagePack array
 *     [version, type, round, attempt, sender, body: bin, signature: bin 64,
 *      parts]
 * body = MessagePack array, by type (grammar in PROTOCOL.md). The signature is
 * over ctx, sender and the hash of the body bytes as sent, in a domain of the
 * type. Vectors travel beside the head as raw little-endian lanes; their hashes
 * stand in the signed body. `parts` (unsigned, of Y only) says which slices the
 * raw bytes hold, ascending.
 */

#ifndef GOSSIP_WIRE_H
#define GOSSIP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/aead.h"
#include "crypto/identity.h"
#include "crypto/shamir.h"
#include "gossip/gossip.h"

enum { WIRE_VERSION = 2 };

enum wire_type {
    WIRE_HELLO = 1,
    WIRE_KEYS,
    WIRE_SHARES,
    WIRE_ACK,
    WIRE_PROPOSE,
    WIRE_PREPARE,
    WIRE_COMMIT,
    WIRE_LOCK,
    WIRE_CERT,
    WIRE_Y,
    WIRE_DECLINE,
    WIRE_RECV,
    WIRE_UNMASK,
    WIRE_SUM,
    WIRE_STOP,
    WIRE_DONE,
    WIRE_WANT,
    WIRE_STATE,
    WIRE_CHECK,
    WIRE_CLOSE,
    WIRE_SETTLED,
    WIRE_TYPES
};

enum wire_kind { WIRE_V, WIRE_U, WIRE_KINDS };

enum {
    WIRE_SECRETS_BYTES = 2 * SHAMIR_BYTES, /* a share of b and one of msk */
    WIRE_SEALED_BYTES = WIRE_SECRETS_BYTES + AEAD_TAG_BYTES
};

/* What AGREE fixes. V: members and the hash of each one's KEYS, and the public
 * state. U: members and the hash of each one's Y, under one V and one state. */
struct wire_value {
    enum wire_kind kind;
    uint64_t members;
    uint8_t said[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES]; /* H(KEYS) or H(Y) */
    uint8_t hash_v[GOSSIP_HASH_BYTES];                   /* U */
    uint8_t state[GOSSIP_HASH_BYTES];
};

/* Signatures of one ballot over one value's hash. */
struct wire_quorum {
    uint32_t ballot;
    uint64_t members;
    uint8_t signatures[GOSSIP_MEMBERS_MAX][IDENTITY_SIGNATURE_BYTES];
};

struct wire_message {
    enum wire_type type;
    uint64_t round, attempt;
    uint32_t sender;
    uint64_t parts;
    const uint8_t *signature; /* into the head */
    const uint8_t *body;      /* into the head: the signed bytes */
    size_t body_size;
    union {
        struct {
            char program[GOSSIP_FIELD_NAME_SIZE];
            uint8_t charter[GOSSIP_HASH_BYTES];
            size_t field_count;
            struct gossip_field fields[GOSSIP_FIELDS_MAX];
        } hello;
        struct {
            uint8_t epk[X25519_BYTES], mpk[X25519_BYTES];
            uint8_t commit[GOSSIP_HASH_BYTES];   /* H("self", ctx, b) */
            uint8_t prepared[GOSSIP_HASH_BYTES]; /* H(U) of the sender's newest
                                                    PREPARE in the round */
            uint32_t members;                    /* g; not on the wire */
            /* H of the share of b, and of msk, that each member is dealt */
            uint8_t of_b[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
            uint8_t of_msk[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
        } keys;
        struct {
            uint32_t to;
            uint8_t sealed[WIRE_SEALED_BYTES];
        } shares;
        struct {
            uint64_t members;
            uint8_t keys[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
        } ack;
        struct { /* PREPARE, COMMIT */
            enum wire_kind kind;
            uint32_t ballot;
            uint8_t value[GOSSIP_HASH_BYTES];
        } vote;
        struct { /* PROPOSE, LOCK (members of quorum 0: none), CERT */
            uint32_t ballot;
            struct wire_value value;
            struct wire_quorum quorum; /* PREPAREs; of a CERT: COMMITs */
            uint64_t evidence;         /* whose ACKs or RECVs, */
            uint8_t hashes[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES]; /* theirs */
            enum wire_kind kind;
        } propose;
        struct {
            uint64_t members; /* V: one slice hash each, in its order */
            uint8_t hash_v[GOSSIP_HASH_BYTES], state[GOSSIP_HASH_BYTES];
            uint8_t slices[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
        } y;
        struct {
            uint32_t reason; /* enum gossip_decline */
        } decline;
        struct {
            uint8_t hash_v[GOSSIP_HASH_BYTES], state[GOSSIP_HASH_BYTES];
            uint64_t members; /* whose slices are here, with all copies */
            uint8_t ys[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES]; /* their H(Y) */
        } recv;
        struct {
            uint8_t cert[GOSSIP_HASH_BYTES]; /* H of the U that was certified */
            uint64_t members; /* V: one share each, of b if in U, else of msk */
            uint8_t shares[GOSSIP_MEMBERS_MAX][SHAMIR_BYTES];
        } unmask;
        struct {
            uint32_t slice;                  /* place in V's order */
            uint8_t cert[GOSSIP_HASH_BYTES]; /* H of the U it is over */
            uint8_t hash[GOSSIP_HASH_BYTES]; /* of the raw bytes */
        } sum;
        struct { /* the slices that the sender has summed itself */
            uint8_t cert[GOSSIP_HASH_BYTES]; /* H of the U they are over */
            uint64_t slices;
            uint8_t hashes[GOSSIP_MEMBERS_MAX][GOSSIP_HASH_BYTES];
        } check;
        struct {
            uint64_t members; /* who was missing */
        } stop;
        struct {
            uint8_t state[GOSSIP_HASH_BYTES];
        } done;               /* and STATE: the raw bytes are the state */
        struct {              /* the raw bytes are the sum's lanes, or none */
            uint64_t members; /* U */
            uint8_t state[GOSSIP_HASH_BYTES]; /* of the round */
            uint8_t hash[GOSSIP_HASH_BYTES];  /* of the lanes */
        } settled;
        struct {              /* what the sender has in its round and attempt */
            uint32_t members; /* g; not on the wire */
            uint32_t tick;    /* counts repetitions: who should relay */
            uint32_t ballot[WIRE_KINDS];
            uint64_t keys, shares, acks;
            uint64_t prepares[WIRE_KINDS], commits[WIRE_KINDS];
            uint8_t proposed, certified; /* bit kind */
            uint64_t recvs, unmasks, sums, checks, closes, dones;
            uint64_t audits; /* slices of which all masked lanes are asked */
            uint64_t slices[GOSSIP_MEMBERS_MAX]; /* [j] slices kept from j */
            uint8_t finished;
        } want;
    };
};

/* Parses a head of `size` bytes into *m; the pointers in *m point into `head`.
 * Returns 0, or -1 for anything that is not a well-formed message of a pod of
 * `members`: bounded work and memory whatever the bytes. Signatures are not
 * checked here. */
int wire_parse(struct wire_message *m, const uint8_t *head, size_t size,
               uint32_t members);

/* What a signature of this message covers: out[*] of WIRE_SIGNED_BYTES. */
enum { WIRE_SIGNED_BYTES = 2 * GOSSIP_HASH_BYTES + 4 };
void wire_signed(uint8_t out[WIRE_SIGNED_BYTES], const uint8_t *ctx,
                 uint32_t sender, const uint8_t *body, size_t body_size);
/* The signing domain of a type, a constant text; and its name ("KEYS"). */
const char *wire_domain(enum wire_type type);
const char *wire_name(enum wire_type type);

/* H of a value: what PREPARE and COMMIT sign. Of V it is H(V). */
void wire_value_hash(uint8_t hash[GOSSIP_HASH_BYTES],
                     const struct wire_value *value);

/* BLAKE2b-256 of a body: H(KEYS), the evidence hashes. Of lanes it is tree_hash
 * (crypto/tree.h). */
void wire_hash(uint8_t hash[GOSSIP_HASH_BYTES], const uint8_t *bytes,
               size_t size);

/* ctx of a round and attempt (PROTOCOL.md, section 1). HELLO's is all zero. */
void wire_ctx(uint8_t ctx[GOSSIP_HASH_BYTES],
              const struct gossip_config *config, uint64_t round,
              uint64_t attempt);

#endif
