/* Counter-based random numbers: each is a function of (seed, purpose, node,
 * step) and its place, so that data, graph, start and network seeds do not
 * depend on one another, nor on threads. The mixer is that of Steele, Lea and
 * Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Not for
 * secrets. */

#ifndef LAB_CHANCE_H
#define LAB_CHANCE_H

#include <stddef.h>
#include <stdint.h>

enum chance_purpose {
    CHANCE_GRAPH,
    CHANCE_NOISE,
    CHANCE_COMPRESS,
    CHANCE_MEET,
    CHANCE_LOSS,
    CHANCE_SENDS,
    CHANCE_TOKENS,
    CHANCE_BATCH,
    CHANCE_SPLIT,
    CHANCE_START,
    CHANCE_COMPUTE,
    CHANCE_STRAGGLER,
    CHANCE_OFFLINE
};

struct chance {
    uint64_t key, at;
};

struct chance chance_of(uint64_t seed, enum chance_purpose purpose,
                        uint64_t node, uint64_t step);
uint64_t chance_next(struct chance *chance);
/* Uniform in [0, bound), without bias. Requires bound > 0. */
uint64_t chance_below(struct chance *chance, uint64_t bound);
double chance_real(struct chance *chance);   /* [0, 1) */
double chance_normal(struct chance *chance); /* mean 0, variance 1 */
/* order[count] becomes a uniform permutation of itself. */
void chance_shuffle(struct chance *chance, uint32_t *order, size_t count);

#endif
