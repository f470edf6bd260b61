/* What one sum costs one member of a pod: the engine of gossip/ as it runs in a
 * node, among others in this process; only its own steps are measured.
 * tests/bench/bench_podsum --help; one JSON line, CPU milliseconds of the whole
 * process while the member works, each the least of all repeats, bytes without
 * transport:
 *   keystream  libsodium's ChaCha20 for (g + 1) d lanes, into one tile that
 *              stays in the first-level cache
 *   node       everything from the last round's state to this round's sum, by
 *              stage (sumpod.h) and by operation (meter.h)
 *   masks      of it quantise, add and remove: those of the other repeats, in
 *              which operations are metered, on one thread
 *   wall       elapsed in these steps, with all threads
 *   unmasked   the same node, without a mask on or off: the same messages,
 *              hashed, signed and verified
 *   bare       the sum alone, without masks and agreement: quantise, send
 *              slices, add up, send the sum, decode; the vectors' messages
 *              hashed, signed and verified as in the protocol
 *   curve      what the member sent, through a pair of CURVE sockets on
 *              loopback: one end's sending and the other's receiving
 *   memory     most that the engine held at once (what it asked malloc for),
 *              the vector that it was given and the longest message
 * Of the members, `before` are lost when V stands, `after` when their vector is
 * sent. Every member has to open the lanes of the right sum, and every run, on
 * any number of threads, the same, or it fails. */

#include <assert.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "crypto/chacha.h"
#include "crypto/lanes.h"
#include "crypto/tree.h"
#include "gossip/wire.h"
#include "node/crew.h"
#include "sumpod.h"

enum { TILE_BYTES = 16384 };

struct bench {
    size_t members, dim, bits, before, after, threads, copies, state, repeats;
};

struct figures {
    struct sumpod_result least; /* by total, operations not metered */
    double node, masks, quantise, add, remove;
    double ops[METER_OPS];
    double keystream, unmasked, bare, curve, wall;
};

static double lower(double a, double b)
{
    return a == 0 || b < a ? b : a;
}

static double keystream(const struct bench *b)
{
    static const uint8_t key[32] = {1}, nonce[8];
    uint8_t tile[TILE_BYTES];
    double start = meter_cpu_ms();

    for (size_t left = (b->members + 1) * b->dim * (b->bits / 8); left > 0;) {
        size_t n = left < sizeof tile ? left : sizeof tile;
        crypto_stream_chacha20(tile, n, nonce, key);
        left -= n;
    }
    return meter_cpu_ms() - start;
}

/* What the plain sum works on. */
struct plain {
    struct fixed_shape shape;
    double *x, *carry, *values;   /* [dim] */
    uint8_t *lanes, *sum, *slice; /* [dim] lanes, or the widest slice's */
    uint8_t *other;               /* [dim]: another member's lanes */
    size_t lane;
    struct identity identity;
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
};

static void sign(struct plain *p, const uint8_t *body)
{
    identity_sign(p->signature, "bench", body, WIRE_SIGNED_BYTES,
                  p->identity.sign_secret);
}

static void verify(const struct plain *p, const uint8_t *body)
{
    int status = identity_verify(p->signature, "bench", body, WIRE_SIGNED_BYTES,
                                 p->identity.open.sign);
    assert(status == 0);
}

/* One member's part of a reduce-scatter and an all-gather. */
static double plain_sum(const struct bench *b, struct plain *p)
{
    static const uint8_t body[WIRE_SIGNED_BYTES], seed[PRG_SEED_BYTES];
    const size_t g = b->members, size = b->dim / g * p->lane;
    uint8_t hash[GOSSIP_HASH_BYTES];
    size_t at;

    sign(p, body);
    double start = meter_cpu_ms();
    lanes_encode_part(p->lanes, p->carry, p->x, 0, p->shape.length, &p->shape,
                      seed, &at);
    for (size_t a = 0; a < g; a++)
        tree_hash(hash, p->lanes + a * size, size);
    sign(p, body);
    memset(p->slice, 0, size);
    for (size_t j = 0; j < g; j++) {
        if (j > 0) {
            verify(p, body);
            tree_hash(hash, p->other + j * size, size);
        }
        lanes_add(p->slice, j > 0 ? p->other + j * size : p->lanes, b->dim / g,
                  &p->shape);
    }
    tree_hash(hash, p->slice, size);
    sign(p, body);
    for (size_t j = 1; j < g; j++) {
        verify(p, body);
        tree_hash(hash, p->other + j * size, size);
        memcpy(p->sum + j * size, p->other + j * size, size);
    }
    memcpy(p->sum, p->slice, size);
    lanes_decode(p->values, p->sum, (uint32_t)g, &p->shape, &at);
    return meter_cpu_ms() - start;
}

static void *get(size_t size)
{
    void *bytes = calloc(1, size + 8);

    if (bytes == NULL)
        abort();
    memset(bytes, 0, size);
    return bytes;
}

static double bare(const struct bench *b)
{
    const uint8_t seed[PRG_SEED_BYTES] = {7};
    struct sumpod_config config = {.members = (uint32_t)b->members,
                                   .lane_bits = (uint32_t)b->bits,
                                   .dim = b->dim};
    struct plain p = {.shape = sumpod_shape(&config)};
    struct prg prg;
    double least = 0;

    p.lane = lanes_bytes(&p.shape);
    p.x = get(b->dim * sizeof *p.x);
    p.carry = get(b->dim * sizeof *p.carry);
    p.values = get(b->dim * sizeof *p.values);
    p.lanes = get(b->dim * p.lane);
    p.sum = get(b->dim * p.lane);
    p.slice = get(b->dim * p.lane);
    p.other = get(b->dim * p.lane);
    prg_seed(&prg, seed);
    identity_generate(&p.identity, &prg);
    sumpod_values(p.x, b->dim, 0);
    for (size_t r = 0; r < b->repeats; r++)
        least = lower(least, plain_sum(b, &p));
    free(p.x);
    free(p.carry);
    free(p.values);
    free(p.lanes);
    free(p.sum);
    free(p.slice);
    free(p.other);
    return least;
}

static void transfer(void *from, void *to, const struct sumpod_result *r,
                     uint8_t *bytes)
{
    for (size_t k = 0; k < r->sent_count; k++) {
        zmq_msg_t m;
        int sent = zmq_send(from, bytes, r->sent[k], 0);
        assert(sent == (int)r->sent[k]);
        zmq_msg_init(&m);
        int heard = zmq_msg_recv(&m, to, 0);
        assert(heard == sent);
        zmq_msg_close(&m);
    }
}

static double curve(const struct bench *b, const struct sumpod_result *r)
{
    char server[41], server_secret[41], client[41], client_secret[41], at[256];
    void *context = zmq_ctx_new();
    void *to = zmq_socket(context, ZMQ_PULL);
    void *from = zmq_socket(context, ZMQ_PUSH);
    size_t size = sizeof at, longest = 0;
    const int yes = 1;
    double least = 0;

    zmq_curve_keypair(server, server_secret);
    zmq_curve_keypair(client, client_secret);
    zmq_setsockopt(to, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt(to, ZMQ_CURVE_SECRETKEY, server_secret, 41);
    zmq_setsockopt(from, ZMQ_CURVE_SERVERKEY, server, 41);
    zmq_setsockopt(from, ZMQ_CURVE_PUBLICKEY, client, 41);
    zmq_setsockopt(from, ZMQ_CURVE_SECRETKEY, client_secret, 41);
    int status = zmq_bind(to, "tcp://127.0.0.1:*");
    assert(status == 0);
    zmq_getsockopt(to, ZMQ_LAST_ENDPOINT, at, &size);
    status = zmq_connect(from, at);
    assert(status == 0);
    for (size_t k = 0; k < r->sent_count; k++)
        longest = r->sent[k] > longest ? r->sent[k] : longest;
    uint8_t *bytes = get(longest);
    for (size_t repeat = 0; repeat <= b->repeats; repeat++) {
        double start = meter_cpu_ms();
        transfer(from, to, r, bytes);
        if (repeat > 0) /* the first one connects */
            least = lower(least, meter_cpu_ms() - start);
    }
    free(bytes);
    zmq_close(from);
    zmq_close(to);
    zmq_ctx_term(context);
    return least;
}

static double total(const struct sumpod_result *r)
{
    double ms = 0;

    for (int s = 0; s < SUMPOD_STAGES; s++)
        ms += r->ms[s];
    return ms;
}

/* One run of those in which operations are metered. */
static void take_times(struct figures *f, const struct sumpod_result *one)
{
    double add = one->add_ms, mask = one->meter.ms[METER_MASK];
    double quantise = one->meter.ms[METER_QUANTISE];

    if (f->masks == 0 || quantise + mask < f->masks) {
        f->masks = quantise + mask;
        f->quantise = quantise;
        f->add = add;
        f->remove = mask - add;
    }
    for (int o = 0; o < METER_OPS; o++)
        f->ops[o] = lower(f->ops[o], one->meter.ms[o]);
}

static void take_total(struct figures *f, struct sumpod_result *one)
{
    f->wall = lower(f->wall, one->wall_ms);
    if (f->node == 0 || total(one) < f->node) {
        struct sumpod_result before = f->least;
        f->node = total(one);
        f->least = *one;
        *one = before;
    }
}

static struct sumpod_config config_of(const struct bench *b)
{
    const uint32_t g = (uint32_t)b->members;
    struct sumpod_config c = {.members = g,
                              .threshold =
                                  b->before > 0 ? (g + 1) / 2 + 1 : g / 2 + 1,
                              .copies = (uint32_t)b->copies,
                              .lane_bits = (uint32_t)b->bits,
                              .before = (uint32_t)b->before,
                              .after = (uint32_t)b->after,
                              .dim = b->dim,
                              .state_size = 8 + b->state};

    if (c.threshold < 3)
        c.threshold = 3;
    return c;
}

static bool measure(const struct bench *b, struct figures *f)
{
    enum { TOTAL, TIMES, UNMASKED, KINDS };
    struct sumpod_config config = config_of(b);
    struct sumpod_result one;
    uint8_t hash[GOSSIP_HASH_BYTES];
    bool right = true;

    config.crew = b->threads > 1 ? crew_new(b->threads - 1) : NULL;
    for (size_t r = 0; r < KINDS * b->repeats; r++) {
        config.times = r % KINDS == TIMES;
        config.masked = r % KINDS != UNMASKED;
        sumpod_run(&one, &config);
        right = right && one.right &&
                (r == 0 || memcmp(hash, one.hash, sizeof hash) == 0);
        memcpy(hash, one.hash, sizeof hash);
        if (r % KINDS == TOTAL)
            take_total(f, &one);
        else if (r % KINDS == TIMES)
            take_times(f, &one);
        else
            f->unmasked = lower(f->unmasked, total(&one));
        free(one.sent);
    }
    crew_free(config.crew);
    for (size_t r = 0; r < b->repeats; r++)
        f->keystream = lower(f->keystream, keystream(b));
    f->bare = bare(b);
    f->curve = curve(b, &f->least);
    return right;
}

static void print(const struct bench *b, const struct figures *f)
{
    const struct sumpod_result *r = &f->least;
    struct chacha_kernel kernels[CHACHA_KERNELS_MAX];

    chacha_kernels(kernels);
    printf("{\"bench\": \"podsum\", \"kernel\": \"%s\", \"members\": %zu, "
           "\"dim\": %zu, \"lanes\": %zu, \"lose_before\": %zu, "
           "\"lose_after\": %zu, \"copies\": %zu, \"threads\": %zu, ",
           kernels[0].name, b->members, b->dim, b->bits, b->before, b->after,
           b->copies, b->threads);
    printf("\"keystream\": %.3f, \"node\": %.3f, \"keys\": %.3f, "
           "\"contribute\": %.3f, \"collect\": %.3f, \"open\": %.3f, ",
           f->keystream, f->node, r->ms[SUMPOD_KEYS], r->ms[SUMPOD_CONTRIBUTE],
           r->ms[SUMPOD_COLLECT], r->ms[SUMPOD_OPEN]);
    printf("\"masks\": %.3f, \"quantise\": %.3f, \"add\": %.3f, "
           "\"remove\": %.3f, \"sum\": %.3f, \"decode\": %.3f, "
           "\"hash\": %.3f, \"sign\": %.3f, \"verify\": %.3f, "
           "\"secrets\": %.3f, ",
           f->masks, f->quantise, f->add, f->remove, f->ops[METER_ADD],
           f->ops[METER_DECODE], f->ops[METER_HASH], f->ops[METER_SIGN],
           f->ops[METER_VERIFY], f->ops[METER_SECRETS]);
    printf("\"wall\": %.3f, \"unmasked\": %.3f, \"bare\": %.3f, "
           "\"curve\": %.3f, \"bytes\": %zu, "
           "\"memory\": %zu, \"masks_ratio\": %.3f, \"node_ratio\": %.3f, "
           "\"unmasked_ratio\": %.3f, \"bare_ratio\": %.3f}\n",
           f->wall, f->unmasked, f->bare, f->curve, r->sent_bytes,
           r->meter.peak + b->dim * sizeof(double) + r->longest,
           f->masks / f->keystream, f->node / f->keystream,
           f->node / f->unmasked, f->node / f->bare);
}

static int misuse(const char *program)
{
    fprintf(stderr,
            "usage: %s [--members 10] [--dim 1000000] [--lanes 16|32|64]\n"
            "  [--lose-before 0] [--lose-after 0] [--copies 1 + both]\n"
            "  [--threads 1] [--state BYTES] [--repeats 5]\n",
            program);
    return 2;
}

static bool parse(struct bench *b, int argc, char **argv)
{
    static const struct option names[] = {
        {"members", 1, NULL, 'g'},    {"dim", 1, NULL, 'd'},
        {"lanes", 1, NULL, 'w'},      {"lose-before", 1, NULL, 'a'},
        {"lose-after", 1, NULL, 'b'}, {"threads", 1, NULL, 'k'},
        {"copies", 1, NULL, 'c'},     {"state", 1, NULL, 's'},
        {"repeats", 1, NULL, 'r'},    {NULL, 0, NULL, 0}};
    int name;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        const char *letters = "gdwabkcsr", *at = strchr(letters, name);
        size_t *const fields[] = {&b->members, &b->dim,   &b->bits,
                                  &b->before,  &b->after, &b->threads,
                                  &b->copies,  &b->state, &b->repeats};
        char *end;
        if (at == NULL)
            return false;
        *fields[at - letters] = strtoul(optarg, &end, 10);
        if (*end != '\0' || end == optarg)
            return false;
    }
    size_t lost = b->before + b->after;
    if (b->copies == 0)
        b->copies = 1 + lost;
    return optind == argc && b->members >= 4 &&
           b->members <= GOSSIP_MEMBERS_MAX && b->dim >= b->members &&
           b->dim <= SIZE_MAX / 1024 &&
           (b->bits == 16 || b->bits == 32 || b->bits == 64) &&
           b->before <= b->members && b->after <= b->members &&
           lost <= (b->members - 2) / 2 && b->copies <= b->members &&
           b->copies > lost && b->threads > 0 &&
           b->threads <= CREW_HELPERS_MAX && b->repeats > 0;
}

int main(int argc, char **argv)
{
    static struct bench b = {
        .members = 10, .dim = 1000000, .bits = 16, .threads = 1, .repeats = 5};
    struct figures f = {0};

    if (sodium_init() < 0 || !parse(&b, argc, argv))
        return misuse(argv[0]);
    bool right = measure(&b, &f);
    print(&b, &f);
    if (!right)
        fprintf(stderr, "%s: an opened sum is not the sum\n", argv[0]);
    free(f.least.sent);
    return right ? 0 : 1;
}
