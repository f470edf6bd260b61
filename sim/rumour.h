/* Members that lie to other pods, and in their own about others: each runs the
 * real machine (gossip/mix.h) with its real key, and what it posts passes
 * through here and may come out altered and signed again, different to
 * different receivers, or with things beside it that no machine says. */

#ifndef SIM_RUMOUR_H
#define SIM_RUMOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/mixwire.h"
#include "node/study.h"

enum rumour_kind {
    RUMOUR_TWO,     /* another vector to some, well signed */
    RUMOUR_OTHER,   /* another vector to all */
    RUMOUR_BODY,    /* a vector that is not what was signed */
    RUMOUR_NAME,    /* an offer in a fellow's name */
    RUMOUR_AHEAD,   /* offers of steps far ahead */
    RUMOUR_VOTE,    /* another value to some */
    RUMOUR_EAGER,   /* COMMITs without a quorum, votes of later ballots */
    RUMOUR_PROPOSE, /* a vector that nobody offers, a pod left out, a quorum
                       that does not stand */
    RUMOUR_CERT,    /* a decision of too few, or of another value */
    RUMOUR_OVER,    /* its pod has finished, it says */
    RUMOUR_WANT,    /* asks for everything, many times */
    RUMOUR_GARBAGE, /* damaged heads and bodies */
    RUMOUR_REPLAY,  /* what it or others said before */
    RUMOUR_SILENT,
    RUMOUR_KINDS
};

struct rumour_config {
    const struct study *study;          /* one pod's view; borrowed */
    uint64_t liars;                     /* bitmap */
    uint64_t kinds[GOSSIP_MEMBERS_MAX]; /* bitmap, of each liar; all 0: drawn */
    uint64_t seed;
};

/* What leaves instead of a post. Valid until the next rumour_post. */
struct rumour_letter {
    uint32_t pod, to;
    const uint8_t *head, *body;
    size_t head_size, body_size;
    bool lie;
};

struct rumour; /* opaque */

struct rumour *rumour_new(const struct rumour_config *config); /* or NULL */
void rumour_free(struct rumour *rumour); /* wipes the keys */
/* Each liar's key; copied. */
void rumour_enlist(struct rumour *rumour, uint32_t liar,
                   const uint8_t secret[IDENTITY_SECRET_BYTES]);

/* A post arrives at a liar. */
void rumour_hear(struct rumour *rumour, const uint8_t *head, size_t head_size,
                 const uint8_t *body, size_t body_size);
/* A liar's machine posts this. Returns how many letters leave instead. */
size_t rumour_post(struct rumour *rumour, uint32_t liar,
                   const struct rumour_letter *post);
const struct rumour_letter *rumour_letter(const struct rumour *rumour,
                                          size_t index);

const char *rumour_name(enum rumour_kind kind);

#endif
