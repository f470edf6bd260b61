/* Pods that average, at one member: when its pod's sum is open, or made into a
 * state, what neighbour pods offer is mixed in. gossip/mix with the study's
 * graph and weights. */

#ifndef NODE_BLEND_H
#define NODE_BLEND_H

#include "gossip/mix.h"
#include "model/error.h"
#include "node/study.h"

struct blend; /* opaque */

struct blend_config {
    const struct study *study;  /* one pod's view; borrowed */
    const struct mix_pod *pods; /* [pod_count], borrowed */
    uint32_t self;              /* in the pod */
    size_t words_max;
    uint8_t network[GOSSIP_HASH_BYTES], charter[GOSSIP_HASH_BYTES];
    const uint8_t *sign_secret;        /* copied */
    const struct gossip_record *saved; /* NULL: none */
    int (*verify)(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key);
    void *verify_context;
};

/* The pods that the study's pod ever hears or is heard by, ascending. Returns
 * 0, -ENOMEM, or -EINVAL with an error if there are too many. */
int blend_neighbours(uint32_t list[MIX_NEIGHBOURS_MAX], size_t *count,
                     const struct study *study, struct error *error);

/* Returns 0 or a negative errno with an error. */
int blend_new(struct blend **blend, const struct blend_config *config,
              struct error *error);
void blend_free(struct blend *blend);

/* mode exact: the pod's opened sum of round `round`, lanes[length] of
 * lane_bytes each over `count` members, which are widened to words: pods' sums
 * cannot wrap; blend_sum gives all pods' sum and members, NULL if one offered
 * what is no such sum. */
void blend_lanes(struct blend *blend, uint64_t round, const void *lanes,
                 size_t lane_bytes, size_t length, uint32_t count,
                 uint64_t now_ms);
const uint64_t *blend_sum(struct blend *blend, uint64_t *count);

/* mode gossip: values[region.count] of the state. blend_average overwrites
 * them with what W makes of them. */
void blend_values(struct blend *blend, uint64_t round,
                  const struct fixed_region *region, const double *values,
                  uint64_t now_ms);
void blend_average(struct blend *blend, double *values);
/* What the newest average was made of: the sum over q of w_pq |v_q - v_p|^2, of
 * the neighbours that were taken. Its mean over pods p, (2/n) tr V'(I - W)V for
 * a symmetric W, is at least 2 (1 - lambda_2) times the consensus distance. */
double blend_distance(const struct blend *blend);

/* The machine, to be driven: effects, time, messages. */
struct mix *blend_mix(struct blend *blend);
/* How many of the step's neighbours were left out; *taken: by place. */
uint32_t blend_left_out(const struct blend *blend, uint64_t *taken);

#endif
