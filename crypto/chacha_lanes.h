/* The body of a vector kernel: included once by a file that has defined LANES
 * (blocks in a vector: 16, 8 or 4), TARGET (the attribute that allows the
 * instructions), RUN (what it exports) and ROTATE_16, _12, _8, _7.
 *
 * Vectors are GCC's, which clang has too; every function carries TARGET,
 * because gcc lowers vectors before it inlines.
 */

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline)) TARGET

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(4 * LANES)));
typedef uint64_t pairs __attribute__((vector_size(4 * LANES)));

INLINE void quarter(words *a, words *b, words *c, words *d)
{
    *a += *b;
    *d = ROTATE_16(*d ^ *a);
    *c += *d;
    *b = ROTATE_12(*b ^ *c);
    *a += *b;
    *d = ROTATE_8(*d ^ *a);
    *c += *d;
    *b = ROTATE_7(*b ^ *c);
}

INLINE void double_round(words x[CHACHA_WORDS])
{
    quarter(&x[0], &x[4], &x[8], &x[12]);
    quarter(&x[1], &x[5], &x[9], &x[13]);
    quarter(&x[2], &x[6], &x[10], &x[14]);
    quarter(&x[3], &x[7], &x[11], &x[15]);
    quarter(&x[0], &x[5], &x[10], &x[15]);
    quarter(&x[1], &x[6], &x[11], &x[12]);
    quarter(&x[2], &x[7], &x[8], &x[13]);
    quarter(&x[3], &x[4], &x[9], &x[14]);
}

/* Blocks from .. from + LANES - 1 of the group: their counters differ in the
 * low word only, as a group begins at a multiple of 16. */
INLINE void blocks(words x[CHACHA_WORDS], const uint32_t state[CHACHA_WORDS],
                   size_t from)
{
    static const uint32_t index[CHACHA_BLOCKS] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                  8, 9, 10, 11, 12, 13, 14, 15};
    words counter;

    memcpy(&counter, index + from, sizeof counter);
    for (size_t j = 0; j < CHACHA_WORDS; j++)
        x[j] = (words){0} + state[j];
    x[12] += counter;
    for (size_t round = 0; round < 10; round++)
        double_round(x);
    for (size_t j = 0; j < CHACHA_WORDS; j++)
        x[j] += state[j];
    x[12] += counter;
}

INLINE void put(uint8_t *at, words key, enum chacha_op op)
{
    words lanes = {0};

    if (op != CHACHA_STORE)
        memcpy(&lanes, at, sizeof lanes);
    switch (op) {
    case CHACHA_STORE:
        lanes = key;
        break;
    case CHACHA_ADD_16:
        lanes = (words)((halves)lanes + (halves)key);
        break;
    case CHACHA_ADD_32:
        lanes += key;
        break;
    case CHACHA_ADD_64:
        lanes = (words)((pairs)lanes + (pairs)key);
        break;
    case CHACHA_SUBTRACT_16:
        lanes = (words)((halves)lanes - (halves)key);
        break;
    case CHACHA_SUBTRACT_32:
        lanes -= key;
        break;
    case CHACHA_SUBTRACT_64:
        lanes = (words)((pairs)lanes - (pairs)key);
        break;
    }
    memcpy(at, &lanes, sizeof lanes);
}

INLINE void run(uint8_t *lanes, uint64_t first, size_t count,
                const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op)
{
    uint32_t state[CHACHA_WORDS];
    words x[CHACHA_WORDS];

    chacha_state(state, key);
    for (; count > 0; count--, first++, lanes += CHACHA_GROUP_BYTES) {
        state[12] = (uint32_t)(first << 4);
        state[13] = (uint32_t)(first >> 28);
        for (size_t from = 0; from < CHACHA_BLOCKS; from += LANES) {
            blocks(x, state, from);
            for (size_t j = 0; j < CHACHA_WORDS; j++)
                put(lanes + 4 * (CHACHA_BLOCKS * j + from), x[j], op);
        }
    }
    sodium_memzero(state, sizeof state);
}

/* A copy of `run` for each op. */
TARGET void RUN(void *lanes, uint64_t first, size_t count,
                const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op)
{
    switch (op) {
    case CHACHA_STORE:
        run(lanes, first, count, key, CHACHA_STORE);
        break;
    case CHACHA_ADD_16:
        run(lanes, first, count, key, CHACHA_ADD_16);
        break;
    case CHACHA_ADD_32:
        run(lanes, first, count, key, CHACHA_ADD_32);
        break;
    case CHACHA_ADD_64:
        run(lanes, first, count, key, CHACHA_ADD_64);
        break;
    case CHACHA_SUBTRACT_16:
        run(lanes, first, count, key, CHACHA_SUBTRACT_16);
        break;
    case CHACHA_SUBTRACT_32:
        run(lanes, first, count, key, CHACHA_SUBTRACT_32);
        break;
    case CHACHA_SUBTRACT_64:
        run(lanes, first, count, key, CHACHA_SUBTRACT_64);
        break;
    }
}
