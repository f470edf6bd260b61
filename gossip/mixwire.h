/* What pods say to each other and, about it, among themselves: PROTOCOL.md,
 * section 10. Little-endian, of a fixed size for each type and count:
 *
 *   head    = version=1: u8, type: u8, stage: u16, pod: u32, sender: u32,
 *             round: u64, body, signature[64]
 *   OFFER   = H(vector)[32]                     beside it: the vector's words
 *   PROPOSE = ballot: u32, quorum, value
 *   CERT    = ballot: u32, quorum, value        quorum of COMMITs
 *   PREPARE, COMMIT = ballot: u32, H(value)[32]
 *   WANT    = have: u64, decided: u8
 *   OVER    =
 *   quorum  = ballot: u32, members: u64, signature[64] of each
 *   value   = used: u64, H(vector)[32] of each
 */

#ifndef GOSSIP_MIXWIRE_H
#define GOSSIP_MIXWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/identity.h"

enum {
    MIXWIRE_HASH_BYTES = 32,
    MIXWIRE_MEMBERS_MAX = 64, /* of a pod; of neighbours, too */
    MIXWIRE_HEAD_BYTES = 24,
    MIXWIRE_MAX =
        MIXWIRE_HEAD_BYTES + 4 + 12 + 8 +
        MIXWIRE_MEMBERS_MAX * (IDENTITY_SIGNATURE_BYTES + MIXWIRE_HASH_BYTES) +
        IDENTITY_SIGNATURE_BYTES
};

enum mixwire_type {
    MIXWIRE_OFFER = 1,
    MIXWIRE_PROPOSE,
    MIXWIRE_PREPARE,
    MIXWIRE_COMMIT,
    MIXWIRE_CERT,
    MIXWIRE_WANT,
    MIXWIRE_OVER,
    MIXWIRE_TYPES
};

/* Of which neighbours (by place in the list that all members share) what is
 * mixed in. */
struct mixwire_value {
    uint64_t used;
    uint8_t hashes[MIXWIRE_MEMBERS_MAX][MIXWIRE_HASH_BYTES];
};

struct mixwire_quorum {
    uint32_t ballot;
    uint64_t members; /* 0: none */
    uint8_t signatures[MIXWIRE_MEMBERS_MAX][IDENTITY_SIGNATURE_BYTES];
};

struct mixwire {
    enum mixwire_type type;
    uint32_t stage, pod, sender;
    uint64_t round;
    uint8_t hash[MIXWIRE_HASH_BYTES]; /* OFFER; PREPARE, COMMIT: H(value) */
    uint32_t ballot;
    uint64_t have;
    bool decided;
    struct mixwire_quorum quorum;
    struct mixwire_value value;
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
};

void mixwire_hash(uint8_t hash[MIXWIRE_HASH_BYTES], const uint64_t *words,
                  size_t count);
void mixwire_value_hash(uint8_t hash[MIXWIRE_HASH_BYTES],
                        const struct mixwire_value *value);

/* What binds messages to one study: study[32] below. */
void mixwire_study(uint8_t study[MIXWIRE_HASH_BYTES],
                   const uint8_t network[MIXWIRE_HASH_BYTES],
                   const uint8_t charter[MIXWIRE_HASH_BYTES]);

/* bytes[MIXWIRE_MAX]; signs, unless `secret` is NULL, and returns the size.
 */
size_t mixwire_write(uint8_t *bytes, struct mixwire *m, const uint8_t *study,
                     const uint8_t *secret);
/* 0, or -1: malformed. Values of an index beyond the maximum are refused. */
int mixwire_parse(struct mixwire *m, const uint8_t *bytes, size_t size);

/* Whether a head is one of these or the engine's own (gossip/wire.h), which
 * begins with an array. Says nothing of its truth. */
bool mixwire_claims(const uint8_t *bytes, size_t size);

/* What the signature covers, covered[64]. */
enum { MIXWIRE_COVERED_BYTES = 64 };
void mixwire_covered(uint8_t *covered, const struct mixwire *m,
                     const uint8_t *study);
extern const char mixwire_domain[];

#endif
