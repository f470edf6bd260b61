/* What masks cost one member of a pod, in crypto/ alone: no messages, hashes,
 * signatures or network. tests/bench/bench_masks --help; one JSON line, CPU
 * milliseconds, each the least of all repeats:
 *   keystream  libsodium's ChaCha20 for (g + 1) d lanes, into one tile that
 *              stays in the first-level cache
 *   quantise   d values to lanes, with a carry; 64-bit lanes by fixed_encode
 *   add        the masks of g - 1 pairs and the member's own on d lanes
 *   remove     the masks of a slice off: those of U (g - a members), and those
 *              between them and the a lost before Y; and of b slices more, for
 *              the worst case is that all b lost after Y leave theirs to it
 *   masks      quantise + add + remove; ratio is masks / keystream
 *   unmasked   the same sum without: quantise, add up the slices of U
 *   decode     the whole sum back to reals
 * The opened slice has to be the plain sum of its points, or it fails. */

#include <assert.h>
#include <getopt.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/chacha.h"
#include "crypto/fixed.h"
#include "crypto/grid.h"
#include "crypto/mask.h"

enum { MEMBERS_MAX = 64, THREADS_MAX = 64, TILE_BYTES = 16384 };
enum phase { KEYSTREAM, QUANTISE, ADD, REMOVE, SUM, DECODE, PHASES };

struct bench {
    size_t members, dim, bits, before, after, threads, repeats;
    double *values, *carry; // [dim]
    uint8_t *lanes;         // [dim] of `bits`
    struct grid grid;
    struct fixed_shape shape;
    struct mask add[MEMBERS_MAX], remove[MEMBERS_MAX * MEMBERS_MAX];
    size_t remove_count;
};

/* A thread's part, from a multiple of a group on. */
struct part {
    struct bench *b;
    enum phase phase;
    size_t first, count;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t slice(const struct bench *b)
{
    return (b->dim + b->members - 1) / b->members;
}

/* What this member opens: its slice, and those left to it. */
static size_t opened(const struct bench *b)
{
    return least(b->dim, slice(b) * (1 + b->after));
}

static struct mask mask_of(size_t i, size_t j, bool minus)
{
    struct mask mask = {.minus = minus};

    mask.seed[0] = (uint8_t)(i < j ? i : j);
    mask.seed[1] = (uint8_t)(i < j ? j : i);
    mask.seed[2] = i == j;
    return mask;
}

/* What member i puts on: + its own, + or - by the order of each pair. */
static void masks_of(struct mask masks[MEMBERS_MAX], const struct bench *b,
                     size_t i)
{
    for (size_t j = 0; j < b->members; j++)
        masks[j] = mask_of(i, j, i > j);
}

static void set_masks(struct bench *b)
{
    size_t survivors = b->members - b->before;

    masks_of(b->add, b, 0);
    for (size_t i = 0; i < survivors; i++) {
        b->remove[b->remove_count++] = mask_of(i, i, true);
        for (size_t q = survivors; q < b->members; q++)
            b->remove[b->remove_count++] = mask_of(i, q, true);
    }
}

static void keystream(size_t size)
{
    static const uint8_t key[32] = {1}, nonce[8];
    uint8_t tile[TILE_BYTES];

    for (; size > 0; size -= least(size, sizeof tile))
        crypto_stream_chacha20(tile, least(size, sizeof tile), nonce, key);
}

static void quantise(struct bench *b, uint8_t *lanes, size_t first,
                     size_t count)
{
    static const uint8_t seed[PRG_SEED_BYTES] = "rounding";
    struct fixed_shape shape = b->shape;
    size_t at;
    int status;

    shape.length = count;
    if (b->bits == 64)
        status = fixed_encode((uint64_t *)(void *)lanes, b->values + first,
                              &shape, &at);
    else
        status = grid_encode(lanes, b->carry + first, b->values + first, first,
                             count, &b->grid, seed);
    assert(status == 0);
}

static void add_up(uint8_t *sum, const uint8_t *lanes, size_t count,
                   size_t bits)
{
    uint16_t *s16 = (void *)sum;
    uint32_t *s32 = (void *)sum;
    uint64_t *s64 = (void *)sum;

    for (size_t i = 0; bits == 16 && i < count; i++)
        s16[i] =
            (uint16_t)(s16[i] + ((const uint16_t *)(const void *)lanes)[i]);
    for (size_t i = 0; bits == 32 && i < count; i++)
        s32[i] += ((const uint32_t *)(const void *)lanes)[i];
    for (size_t i = 0; bits == 64 && i < count; i++)
        s64[i] += ((const uint64_t *)(const void *)lanes)[i];
}

static void decode(struct bench *b, size_t first, size_t count)
{
    const uint8_t *lanes = b->lanes + first * (b->bits / 8);
    struct fixed_shape shape = b->shape;
    size_t at;

    shape.length = count;
    if (b->bits == 64)
        fixed_decode(b->values + first, (const uint64_t *)(const void *)lanes,
                     1, &shape, &at);
    else
        grid_decode(b->values + first, lanes, count, 1, &b->grid, &at);
}

static void *work(void *argument)
{
    const struct part *p = argument;
    struct bench *b = p->b;
    const size_t size = b->bits / 8;
    uint8_t *lanes = b->lanes + p->first * size;

    switch (p->phase) {
    case KEYSTREAM:
        keystream(size * p->count);
        break;
    case QUANTISE:
        quantise(b, lanes, p->first, p->count);
        break;
    case ADD:
        mask_apply(lanes, (uint32_t)b->bits, p->first, p->count, b->add,
                   b->members);
        break;
    case REMOVE:
        mask_apply(lanes, (uint32_t)b->bits, p->first, p->count, b->remove,
                   b->remove_count);
        break;
    case SUM: /* the lanes stand for those of each member in turn */
        for (size_t i = 0; i < b->members - b->before; i++)
            add_up(lanes, lanes, p->count, b->bits);
        break;
    default:
        decode(b, p->first, p->count);
    }
    return NULL;
}

static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double run(struct bench *b, enum phase phase, size_t count)
{
    const size_t group = PRG_GROUP_BYTES / (b->bits / 8);
    const size_t share = (count / b->threads / group + 1) * group;
    struct part parts[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    double start = cpu_ms();
    size_t used = 0;

    for (size_t first = 0; first < count; first += share, used++) {
        parts[used] =
            (struct part){b, phase, first, least(share, count - first)};
        int status = pthread_create(&threads[used], NULL, work, &parts[used]);
        assert(status == 0);
    }
    for (size_t i = 0; i < used; i++)
        pthread_join(threads[i], NULL);
    return cpu_ms() - start;
}

static void fill(struct bench *b, size_t member)
{
    for (size_t i = 0; i < b->dim; i++) {
        b->values[i] = (double)((i * 7 + member * 131) % 2001) * 1e-3 - 1;
        b->carry[i] = i % 100 == 0 ? 0.5 : 0;
    }
}

/* All members' masked lanes of the first slices, added up and opened. */
static bool opens(struct bench *b)
{
    const size_t count = opened(b), size = count * (b->bits / 8);
    uint8_t *plain = calloc(1, size), *sum = calloc(1, size);
    struct mask masks[MEMBERS_MAX];

    if (plain == NULL || sum == NULL)
        abort();
    for (size_t i = 0; i < b->members - b->before; i++) {
        fill(b, i);
        quantise(b, b->lanes, 0, count);
        add_up(plain, b->lanes, count, b->bits);
        masks_of(masks, b, i);
        mask_apply(b->lanes, (uint32_t)b->bits, 0, count, masks, b->members);
        add_up(sum, b->lanes, count, b->bits);
    }
    bool masked = memcmp(plain, sum, size) != 0;
    mask_apply(sum, (uint32_t)b->bits, 0, count, b->remove, b->remove_count);
    bool same = memcmp(plain, sum, size) == 0;
    free(plain);
    free(sum);
    return masked && same;
}

static void measure(struct bench *b, double ms[PHASES])
{
    const size_t counts[PHASES] = {(b->members + 1) * b->dim,
                                   b->dim,
                                   b->dim,
                                   opened(b),
                                   opened(b),
                                   b->dim};

    for (size_t r = 0; r < b->repeats; r++) {
        fill(b, 0);
        for (enum phase p = KEYSTREAM; p < PHASES; p++) {
            if (p == DECODE) /* what is masked is out of range */
                memset(b->lanes, 0, b->dim * (b->bits / 8));
            double t = run(b, p, counts[p]);
            if (r == 0 || t < ms[p])
                ms[p] = t;
        }
    }
}

static void print(const struct bench *b, const double ms[PHASES])
{
    struct chacha_kernel kernels[CHACHA_KERNELS_MAX];
    double masks = ms[QUANTISE] + ms[ADD] + ms[REMOVE];

    chacha_kernels(kernels);
    printf("{\"bench\": \"masks\", \"kernel\": \"%s\", \"members\": %zu, "
           "\"dim\": %zu, \"lanes\": %zu, \"lose_before\": %zu, "
           "\"lose_after\": %zu, \"threads\": %zu, \"keystream\": %.3f, "
           "\"quantise\": %.3f, \"add\": %.3f, \"remove\": %.3f, "
           "\"masks\": %.3f, \"ratio\": %.3f, \"unmasked\": %.3f, "
           "\"decode\": %.3f}\n",
           kernels[0].name, b->members, b->dim, b->bits, b->before, b->after,
           b->threads, ms[KEYSTREAM], ms[QUANTISE], ms[ADD], ms[REMOVE], masks,
           masks / ms[KEYSTREAM], ms[QUANTISE] + ms[SUM], ms[DECODE]);
}

static int misuse(const char *program)
{
    fprintf(stderr,
            "usage: %s [--members 10] [--dim 1000000] [--lanes 16|32|64]\n"
            "  [--lose-before 1] [--lose-after 1] [--threads 1] "
            "[--repeats 5]\n",
            program);
    return 2;
}

static bool parse(struct bench *b, int argc, char **argv)
{
    static const struct option names[] = {
        {"members", 1, NULL, 'g'},    {"dim", 1, NULL, 'd'},
        {"lanes", 1, NULL, 'w'},      {"lose-before", 1, NULL, 'a'},
        {"lose-after", 1, NULL, 'b'}, {"threads", 1, NULL, 'k'},
        {"repeats", 1, NULL, 'r'},    {NULL, 0, NULL, 0}};
    int name;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        const char *letters = "gdwabkr", *at = strchr(letters, name);
        size_t *const fields[] = {&b->members, &b->dim,   &b->bits,
                                  &b->before,  &b->after, &b->threads,
                                  &b->repeats};
        char *end;
        if (at == NULL)
            return false;
        *fields[at - letters] = strtoul(optarg, &end, 10);
        if (*end != '\0' || end == optarg)
            return false;
    }
    return optind == argc && b->members >= 2 && b->members <= MEMBERS_MAX &&
           b->dim > 0 && b->dim <= SIZE_MAX / 1024 &&
           (b->bits == 16 || b->bits == 32 || b->bits == 64) &&
           b->before < b->members && b->after < b->members - b->before &&
           b->threads > 0 && b->threads <= THREADS_MAX && b->repeats > 0;
}

int main(int argc, char **argv)
{
    static struct bench b = {.members = 10,
                             .dim = 1000000,
                             .bits = 16,
                             .before = 1,
                             .after = 1,
                             .threads = 1,
                             .repeats = 5};
    double ms[PHASES] = {0};

    if (sodium_init() < 0 || !parse(&b, argc, argv))
        return misuse(argv[0]);
    b.values = malloc(b.dim * sizeof *b.values);
    b.carry = malloc(b.dim * sizeof *b.carry);
    b.lanes = malloc(b.dim * (b.bits / 8));
    if (b.values == NULL || b.carry == NULL || b.lanes == NULL)
        abort();
    uint32_t members = (uint32_t)b.members, bits = (uint32_t)b.bits;
    b.grid = (struct grid){1, grid_value_bits(members, bits), bits};
    b.shape = (struct fixed_shape){.length = b.dim,
                                   .bound = fixed_bound(members, 32),
                                   .fraction_bits = 32,
                                   .exact = true};
    set_masks(&b);
    bool right = opens(&b);
    measure(&b, ms);
    print(&b, ms);
    if (!right)
        fprintf(stderr, "%s: the opened slice is not the sum\n", argv[0]);
    free(b.values);
    free(b.carry);
    free(b.lanes);
    return right ? 0 : 1;
}
