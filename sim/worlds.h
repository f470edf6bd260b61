/* Many pods under one virtual clock: a world (sim/world.h) for each, and a
 * network between them. The checkers of each world hold inside its pod, those
 * of sim/podcheck.h between pods; besides, exact pods have one state, and where
 * nobody was left out the mean of all models is that of what was offered. That
 * no member's vector leaves its pod is searched for where `search` is set. */

#ifndef SIM_WORLDS_H
#define SIM_WORLDS_H

#include "sim/ordeal.h"
#include "sim/world.h"

enum { WORLDS_CUTS_MAX = 64, WORLDS_CRASHES_MAX = 16 };

/* From from_ms to to_ms nothing gets to or from that pod. */
struct worlds_cut {
    uint32_t pod;
    uint64_t from_ms, to_ms;
};

struct worlds_config {
    const struct study *study;             /* whole, resolved; borrowed */
    const struct dataset *const *datasets; /* [site_count] by site; borrowed */
    uint64_t seed;
    uint32_t loss_ppm; /* between pods; inside: the study's network */
    uint32_t duplicate_ppm;
    struct ordeal ordeal; /* of each pod; chaos: of the links between, too */
    uint64_t liars;       /* of every pod, besides those drawn; bitmap */
    uint64_t rumours; /* what all liars say of pods; 0: drawn from the seed */
    struct worlds_cut cuts[WORLDS_CUTS_MAX];
    size_t cut_count;
    struct worlds_crash { /* of a member, by its place in the pod */
        uint32_t pod;
        struct world_crash rule;
    } crashes[WORLDS_CRASHES_MAX];
    size_t crash_count;
    uint32_t threads;    /* 0: one; the run is the same for any number */
    bool search;         /* as world_config's, slow */
    FILE *const *traces; /* [pod_count] one of each world, or NULL; borrowed */
    /* Somebody between the pods: may change, drop (set *size to 0) or keep a
     * head on its way. NULL: nobody. */
    void (*tamper)(void *context, uint32_t from_pod, struct world_post *post);
    void *tamper_context;
};

struct worlds; /* opaque */

/* Returns 0 or a negative errno with an error. */
int worlds_new(struct worlds **pods, const struct worlds_config *config,
               struct error *error);
void worlds_free(struct worlds *pods);
/* Runs to the end; 0, or -1: worlds_reason says why a pod has no result. */
int worlds_run(struct worlds *pods);
const char *worlds_reason(const struct worlds *pods);
const char *worlds_violation(const struct worlds *pods); /* "" */

struct worlds_facts {
    uint64_t virtual_ms, bytes_sent, messages, crashes, restarts, lies;
    uint64_t matched; /* neighbours' vectors committed to and found offered */
    uint64_t means;   /* rounds whose mean was compared */
    uint32_t liars, left_out, finished; /* pods */
    bool all_return;                    /* every lost member came back */
};
void worlds_facts(struct worlds *pods, struct worlds_facts *facts);

struct world *worlds_world(struct worlds *pods, uint32_t pod);

/* After each round that all pods have made: the models' distance to their mean,
 * (1/n) sum |x_p - mean|^2, and what they know of the loss. */
struct worlds_round {
    uint64_t virtual_ms, bytes; /* of the last pod to make it; of all pods */
    double consensus, loss;
    uint32_t left_out; /* neighbours missed, over all pods */
    bool jumped;       /* some pod was not seen right after it */
    double *models;    /* [pod_count, width] */
};
const struct worlds_round *worlds_rounds(const struct worlds *pods,
                                         size_t *count);
size_t worlds_width(const struct worlds *pods); /* of a model; 0: none to see */

#endif
