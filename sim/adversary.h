/* Members that lie, drawn from a seed: each runs the real engine with its real
 * key, and what the engine sends passes through here and may come out withheld,
 * late, altered and signed again, different to different receivers, or with
 * things beside it that no engine says. Liars share their keys and what they
 * hear.
 *
 * A deceit is one way to lie. Each liar practises some of them, to a set of
 * victims, from some round on, always or now and then.
 */

#ifndef SIM_ADVERSARY_H
#define SIM_ADVERSARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/identity.h"
#include "gossip/wire.h"
#include "node/study.h"

enum adversary_deceit {
    ADVERSARY_KEYS,     /* other KEYS to some */
    ADVERSARY_FAR,      /* KEYS of attempts far ahead */
    ADVERSARY_SHARES,   /* sealed shares that do not open */
    ADVERSARY_ACK,      /* another list to some */
    ADVERSARY_PROPOSE,  /* another value, another ballot, less evidence */
    ADVERSARY_VOTE,     /* another value to some */
    ADVERSARY_EAGER,    /* COMMITs without a quorum, votes of later ballots */
    ADVERSARY_LOCK,     /* none, an old one, one with a signature too few */
    ADVERSARY_TWO_Y,    /* another vector to some */
    ADVERSARY_OTHER_Y,  /* another vector to all */
    ADVERSARY_NO_Y,     /* its vector is kept from some holders */
    ADVERSARY_RECV,     /* vectors that are not here, or not those that are */
    ADVERSARY_UNMASK,   /* wrong shares */
    ADVERSARY_SUM,      /* wrong lanes, well signed */
    ADVERSARY_CHECK,    /* wrong hashes */
    ADVERSARY_STATE,    /* a state of rounds to come that nobody has */
    ADVERSARY_DONE,     /* too early, or with another state */
    ADVERSARY_STOP,     /* somebody is missing, it says */
    ADVERSARY_DECLINE,  /* it cannot contribute, it says */
    ADVERSARY_CLOSE,    /* closed, it says, though it has released */
    ADVERSARY_WANT,     /* asks for everything, many times */
    ADVERSARY_GARBAGE,  /* damaged heads and bodies */
    ADVERSARY_REPLAY,   /* what it or others said before */
    ADVERSARY_WITHHOLD, /* some types, from some */
    ADVERSARY_SILENT,   /* everything, from all */
    ADVERSARY_DELAY,
    ADVERSARY_PROXY,   /* over another liar's link */
    ADVERSARY_SETTLED, /* another sum than the one that waits for pods */
    ADVERSARY_DECEITS
};

struct adversary_config {
    const struct study *study;            /* with the members' keys; borrowed */
    uint64_t liars;                       /* bitmap */
    uint64_t deceits[GOSSIP_MEMBERS_MAX]; /* bitmap, of each liar */
    uint64_t seed;
};

/* What leaves instead of a message. Valid until the next adversary_send. */
struct adversary_letter {
    uint32_t from, to; /* from: whose link */
    const uint8_t *head, *body;
    size_t head_size, body_size;
    uint64_t delay_ms;
    const char *lie; /* the deceit's name, or NULL: as the engine said it */
};

struct adversary; /* opaque */

/* NULL if out of memory. */
struct adversary *adversary_new(const struct adversary_config *config);
void adversary_free(struct adversary *adversary); /* wipes the keys */
/* Each liar's identity; copied. */
void adversary_enlist(struct adversary *adversary, uint32_t liar,
                      const struct identity *identity);

/* A message arrives at a liar. */
void adversary_hear(struct adversary *adversary,
                    const struct wire_message *message, const uint8_t *head,
                    size_t head_size, const uint8_t *body, size_t body_size);
/* A liar's engine is about to perform these effects. */
void adversary_watch(struct adversary *adversary, uint32_t liar,
                     const struct gossip_effect *effects, size_t count);
/* It performs this SEND, which says `message`. Returns how many letters leave
 * instead: adversary_letter gives each. */
size_t adversary_send(struct adversary *adversary, uint32_t liar,
                      const struct gossip_effect *send,
                      const struct wire_message *message);
const struct adversary_letter *
adversary_letter(const struct adversary *adversary, size_t index);

/* The newest letters hold a vector of its sender with `delta` added to its
 * first element. False: none of them does. */
struct adversary_vector {
    uint32_t member;
    uint64_t round, delta;
    uint8_t hash[GOSSIP_HASH_BYTES]; /* H(Y) */
};
bool adversary_altered(const struct adversary *adversary,
                       struct adversary_vector *vector);

/* Draws up to `colluders` of `members`, and deceits for each, from the seed. */
void adversary_draw(struct adversary_config *config, uint32_t members,
                    uint32_t colluders);

#endif
