/* A pod of real engines that sums large vectors: the first member is measured,
 * the others are there to be talked to and remember verified signatures.
 * Messages are shared between their receivers, nothing else is. */

#ifndef BENCH_SUMPOD_H
#define BENCH_SUMPOD_H

#include "gossip/gossip.h"
#include "meter.h"

/* What the measured member's steps are for, each up to a note of its own. */
enum sumpod_stage {
    SUMPOD_KEYS,       /* the state on disk, KEYS, SHARES, ACK, V */
    SUMPOD_CONTRIBUTE, /* its vector comes: quantise, mask, hash, sign, send */
    SUMPOD_COLLECT,    /* everybody's slices, RECV, U */
    SUMPOD_OPEN,       /* shares, the slice's sum, all sums, the result */
    SUMPOD_STAGES
};

struct sumpod_config {
    uint32_t members, threshold, copies, lane_bits;
    uint32_t before, after; /* lost once V stands; once their Y is sent */
    size_t dim, state_size;
    bool times;  /* operations, too; by one thread */
    bool masked; /* false: the same messages with no masks on and none off */
    struct crew *crew;
};

struct sumpod_result {
    bool right; /* every member alive has the survivors' sum, lane for lane */
    uint8_t hash[GOSSIP_HASH_BYTES]; /* of it */
    double ms[SUMPOD_STAGES];
    double wall_ms; /* of all of them */
    double add_ms;  /* METER_MASK of it before SUMPOD_OPEN */
    struct meter meter;
    size_t sent_count, *sent; /* [sent_count] bytes of each message; freed by
                                 the caller */
    size_t sent_bytes;
    size_t longest; /* message that it got, bytes */
};

/* Two rounds to warm up, without losses, then the measured one. Aborts if out
 * of memory. */
void sumpod_run(struct sumpod_result *result,
                const struct sumpod_config *config);

/* x[dim] of a member, in [-1, 1]; shape of the sum. */
void sumpod_values(double *x, size_t dim, uint32_t member);
struct fixed_shape sumpod_shape(const struct sumpod_config *config);

#endif
