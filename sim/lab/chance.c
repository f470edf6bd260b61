#include "sim/lab/chance.h"

#include <assert.h>
#include <math.h>

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct chance chance_of(uint64_t seed, enum chance_purpose purpose,
                        uint64_t node, uint64_t step)
{
    uint64_t key = mix(seed + GOLDEN);

    key = mix(key ^ ((uint64_t)purpose + 1) * GOLDEN);
    key = mix(key ^ (node + 1) * GOLDEN);
    key = mix(key ^ (step + 1) * GOLDEN);
    return (struct chance){key, 0};
}

uint64_t chance_next(struct chance *c)
{
    return mix(c->key + ++c->at * GOLDEN);
}

uint64_t chance_below(struct chance *c, uint64_t bound)
{
    assert(bound > 0);
    const uint64_t rest = (UINT64_MAX % bound + 1) % bound;
    uint64_t r;

    do
        r = chance_next(c);
    while (r > UINT64_MAX - rest);
    return r % bound;
}

double chance_real(struct chance *c)
{
    return (double)(chance_next(c) >> 11) * 0x1p-53;
}

double chance_normal(struct chance *c)
{
    static const double turn = 6.283185307179586;
    double radius = sqrt(-2 * log(1 - chance_real(c)));

    return radius * cos(turn * chance_real(c));
}

void chance_shuffle(struct chance *c, uint32_t *order, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)chance_below(c, i);
        uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}
