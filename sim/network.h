/* The laws of a virtual network: latency, bandwidth, loss, duplication,
 * partitions. Reordering comes from latency. No floats: equal seeds give equal
 * worlds on every machine. */

#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"
#include "gossip/gossip.h"

enum { NETWORK_PARTITIONS_MAX = 16, NETWORK_GROUPS_MAX = 8 };

struct network_partition {
    uint64_t groups[NETWORK_GROUPS_MAX]; /* bitmaps; in none: alone */
    size_t group_count;
    uint64_t from_ms, to_ms;
};

struct network_laws {
    uint64_t latency_min_ms, latency_max_ms; /* uniform, both included */
    uint64_t bits_per_ms;                    /* of one sender; 0: unlimited */
    uint32_t loss_ppm, duplicate_ppm;        /* of a million messages */
    struct network_partition partitions[NETWORK_PARTITIONS_MAX];
    size_t partition_count;
};

struct network {
    struct network_laws laws;
    struct prg prg;
    uint64_t free_us[GOSSIP_MEMBERS_MAX]; /* when the sender's line is free */
};

/* When a message gets there. */
struct network_fate {
    uint64_t departs_us;
    uint32_t arrivals; /* 0: lost, 1, 2: duplicated */
    uint64_t at_ms[2];
};

void network_start(struct network *network, const struct network_laws *laws,
                   const uint8_t seed[PRG_SEED_BYTES]);
/* Draws the fate of `size` bytes that `from` sends now. */
void network_send(struct network *network, struct network_fate *fate,
                  uint32_t from, uint32_t to, size_t size, uint64_t now_ms);
uint64_t network_latency(struct network *network);
/* False while a partition is between a and b. */
bool network_joined(const struct network *network, uint32_t a, uint32_t b,
                    uint64_t now_ms);

#endif
