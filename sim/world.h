/* A study's members under one virtual clock, driving the real member_step():
 * the same configuration gives the same trace, byte for byte.
 *
 * A member that crashes is gone at once: effects not yet performed are not,
 * messages that have not left vanish, and it returns with only what it saved.
 * The checkers of sim/check.h run after every event; a violation ends the run.
 */

#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gossip/wire.h"
#include "model/dataset.h"
#include "model/error.h"
#include "node/member.h"
#include "node/result.h"
#include "node/study.h"
#include "sim/network.h"

enum { WORLD_CRASHES_MAX = 64, WORLD_DROPS_MAX = 16 };
#define WORLD_NEVER UINT64_MAX
#define WORLD_ANY UINT32_MAX

enum world_when {
    WORLD_BEFORE, /* the first own SEND of `type` in `round` */
    WORLD_SOME,   /* after the first half of such SENDs in one step */
    WORLD_AFTER,  /* after the last of them in that step */
    WORLD_EFFECT  /* after the member's `effect`-th effect of the run, from 1 */
};

/* A rule fires once. Rules of one member fire in any order. */
struct world_crash {
    uint32_t member;
    enum world_when when;
    enum wire_type type;
    uint64_t round; /* WORLD_ANY: the first that comes */
    uint64_t effect;
    uint64_t restart_after_ms; /* WORLD_NEVER */
    bool forgets;              /* it comes back without its store, once a run */
    bool after_loss; /* counts, from there, in the life after that only */
};

/* Messages that the network loses, besides those that it loses by chance. */
struct world_drop {
    uint64_t from, to;               /* bitmaps: link's sender, receiver */
    uint64_t types;                  /* bitmap of enum wire_type */
    uint32_t round, attempt, ballot; /* WORLD_ANY; ballot: of votes, PROPOSE */
    uint32_t kind;                   /* enum wire_kind or WORLD_ANY */
    uint64_t until_ms;
};

struct world_config {
    const struct study *study;             /* resolved; borrowed */
    const struct dataset *const *datasets; /* [site_count], borrowed */
    uint64_t seed;
    uint64_t end_ms;   /* virtual */
    uint64_t stall_ms; /* ends when no sum opens for so long; 0: never */
    struct network_laws laws;
    struct world_crash crashes[WORLD_CRASHES_MAX];
    size_t crash_count;
    struct world_drop drops[WORLD_DROPS_MAX];
    size_t drop_count;
    uint64_t liars; /* bitmap: whose messages the adversary may falsify */
    uint64_t deceits[GOSSIP_MEMBERS_MAX]; /* of enum adversary_deceit */
    uint64_t rumours[GOSSIP_MEMBERS_MAX]; /* of enum rumour_kind; all 0: drawn
                                             from the seed */
    const struct mix_pod
        *pods;   /* of a pod's view, all with their keys; borrowed
                    and filled in before world_start; or NULL */
    FILE *trace; /* one line per event, or NULL; borrowed */
    bool story;  /* without timers and arrivals: what members do and say */
    bool search; /* every SEND for plain vectors and rows: slow */
};

/* Laws, crashes, partitions, seed and end of the study's own `network:`. */
void world_config_of(struct world_config *config, const struct study *study,
                     const struct dataset *const *datasets);

struct world; /* opaque */

/* Returns 0 or a negative errno with an error. */
int world_new(struct world **world, const struct world_config *config,
              struct error *error);
void world_free(struct world *world);

/* A world among others, under one clock: the caller turns the one whose next
 * event is due, and takes out what its members post to other pods. */
struct world_post {
    uint64_t sent_ms;
    uint32_t pod, to, from;
    uint8_t *head; /* the taker's; body follows in the same block */
    size_t head_size, body_size;
};
void world_start(struct world *world);
bool world_goes_on(const struct world *world);
uint64_t world_next_ms(const struct world *world); /* UINT64_MAX: nothing */
void world_turn(struct world *world);
void world_conclude(struct world *world);
/* The posts since the last call, borrowed; their heads are the caller's. */
const struct world_post *world_posts(struct world *world, size_t *count);
/* `post` of pod `from_pod` arrives at its receiver at that time; takes head. */
void world_deliver(struct world *world, uint32_t from_pod,
                   const struct world_post *post, uint64_t at_ms);
/* What the checkers know of it; NULL: one pod. */
struct podcheck *world_podcheck(struct world *world);
const struct identity_public *world_key(const struct world *world,
                                        uint32_t member);

/* Runs to the end. Returns 0: finished, with a result; -1: world_reason says
 * why not, world_violation whether a checker fired. */
int world_run(struct world *world);
const char *world_reason(const struct world *world);    /* "" if finished */
const char *world_violation(const struct world *world); /* "" */

struct world_facts {
    uint64_t virtual_ms, bytes_sent, messages, crashes, restarts, lies,
        losses;        /* of a store */
    uint64_t honest;   /* bitmap: who is no liar and not gone for good, */
    uint64_t steady;   /* and who never crashed either */
    uint64_t accused;  /* bitmap: against whom an honest member has evidence */
    uint64_t revealed; /* bitmap: whose vectors sums may show, as was said */
    bool sum_exact;
    uint8_t state_hash[GOSSIP_HASH_BYTES];
    const struct result_round *rounds; /* [round_count] opened sums */
    size_t round_count;
};
void world_facts(const struct world *world, struct world_facts *facts);
/* How many effects `member` has performed, over all its lives. */
uint64_t world_effects(const struct world *world, uint32_t member);
/* The member's own copy, NULL while it is down; borrowed. */
const struct member *world_member(const struct world *world, uint32_t member);
/* Bytes of heads and bodies that the member sent. */
uint64_t world_sent(const struct world *world, uint32_t member);

#endif
