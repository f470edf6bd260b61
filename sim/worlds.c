#include "sim/worlds.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "model/dgd.h"
#include "node/pods.h"
#include "sim/finding.h"
#include "sim/podcheck.h"

enum {
    THREADS_MAX = 64,
    REASON_SIZE = 700,
    ROUNDS_ROOM = 64,
    MILLION = 1000000,
    LATENCY_MAX_MS = 200,
    LOSS_MAX_PPM = 200000,
    DUPLICATE_MAX_PPM = 50000,
    CUTS_DRAWN = 3,
    CUT_FROM_MS = 20000,
    CUT_MS = 6000
};
#define MEAN_TOLERANCE 1e-12 /* of the largest entry */

struct pod {
    struct study view;
    struct study_site sites[GOSSIP_MEMBERS_MAX];
    const struct dataset *datasets[GOSSIP_MEMBERS_MAX];
    uint8_t keys[GOSSIP_MEMBERS_MAX][IDENTITY_KEY_BYTES];
    struct world *world;
    uint64_t seen_round, seen_alone, liars;
};

struct worlds {
    struct worlds_config config;
    uint32_t count;
    struct pod *pods;         /* [count] */
    struct mix_pod *mixes;    /* [count] */
    struct podcheck **checks; /* [count] the worlds' */
    struct prg prg;
    uint64_t now_ms, least_ms, most_ms; /* from pod to pod */
    bool all_return;
    uint64_t means;
    uint8_t (*states)[GOSSIP_HASH_BYTES]; /* [round_room] mode exact */
    struct worlds_round *rounds;          /* [round_count], [round_room] */
    uint32_t *made;                       /* [round_room] pods that made it */
    size_t round_count, round_room, width;
    char reason[REASON_SIZE];
    struct finding violation;
};

static void seed_of(uint8_t seed[PRG_SEED_BYTES], uint64_t from)
{
    static const uint8_t label[PRG_SEED_BYTES] = "starling pods";

    memcpy(seed, label, sizeof label);
    for (int i = 0; i < 8; i++)
        seed[24 + i] = (uint8_t)(from >> 8 * i);
}

static int make_pod(struct worlds *p, uint32_t k, struct error *error)
{
    struct pod *pod = &p->pods[k];
    const struct study *whole = p->config.study;
    struct world_config config;
    int code;

    pods_view(&pod->view, pod->sites, whole, k);
    for (uint32_t i = 0; i < pod->view.site_count; i++)
        pod->datasets[i] = p->config.datasets[whole->pods[k].sites[i]];
    world_config_of(&config, &pod->view, pod->datasets);
    config.seed = p->config.seed * 1000003 + k;
    config.pods = p->mixes;
    config.search = p->config.search;
    config.trace = p->config.traces == NULL ? NULL : p->config.traces[k];
    if (!ordeal_draw(&config, &p->config.ordeal))
        p->all_return = false;
    for (uint32_t i = 0; i < pod->view.site_count; i++)
        config.rumours[i] = p->config.rumours;
    config.liars |= p->config.liars;
    pod->liars = config.liars;
    for (size_t i = 0; i < p->config.crash_count; i++)
        if (p->config.crashes[i].pod == k)
            config.crashes[config.crash_count++] = p->config.crashes[i].rule;
    code = world_new(&pod->world, &config, error);
    if (code == 0)
        p->checks[k] = world_podcheck(pod->world);
    for (uint32_t i = 0; code == 0 && i < pod->view.site_count; i++)
        memcpy(pod->keys[i], world_key(pod->world, i)->sign,
               IDENTITY_KEY_BYTES);
    p->mixes[k] = (struct mix_pod){
        .members = pod->view.site_count,
        .threshold = pod->view.threshold,
        .believed = pod->view.active ? pod->view.colluders + 1 : 1,
        .keys = (const uint8_t(*)[IDENTITY_KEY_BYTES])pod->keys};
    return code;
}

/* Lines between pods as bad as those inside, and pods that are cut off. */
static void draw_lines(struct worlds *p)
{
    struct worlds_config *c = &p->config;

    p->least_ms = c->study->latency_min_ms;
    p->most_ms = c->study->latency_max_ms;
    p->all_return = true;
    if (c->ordeal.chaos) {
        p->most_ms = 1 + prg_below(&p->prg, LATENCY_MAX_MS);
        p->least_ms = 1 + prg_below(&p->prg, p->most_ms);
        c->loss_ppm = (uint32_t)prg_below(&p->prg, LOSS_MAX_PPM + 1);
        c->duplicate_ppm = (uint32_t)prg_below(&p->prg, DUPLICATE_MAX_PPM + 1);
        c->cut_count = prg_below(&p->prg, CUTS_DRAWN + 1);
        for (size_t i = 0; i < c->cut_count; i++) {
            uint64_t from = prg_below(&p->prg, CUT_FROM_MS);
            c->cuts[i] = (struct worlds_cut){
                (uint32_t)prg_below(&p->prg, p->count), from,
                from + 1 + prg_below(&p->prg, CUT_MS)};
        }
    }
    if (p->least_ms == 0)
        p->least_ms = 1;
}

int worlds_new(struct worlds **pods, const struct worlds_config *config,
               struct error *error)
{
    struct worlds *p = calloc(1, sizeof *p);
    uint8_t seed[PRG_SEED_BYTES];
    int code = -ENOMEM;

    *pods = NULL;
    if (p == NULL)
        return error_set(error, code, "out of memory for the pods");
    p->config = *config;
    p->count = config->study->pod_count;
    seed_of(seed, config->seed);
    prg_seed(&p->prg, seed);
    p->pods = calloc(p->count, sizeof *p->pods);
    p->mixes = calloc(p->count, sizeof *p->mixes);
    p->checks = calloc(p->count, sizeof *p->checks);
    draw_lines(p);
    if (strcmp(config->study->task.method, "dgd") == 0)
        p->width = config->datasets[0]->column_count + 1;
    if (p->pods == NULL || p->mixes == NULL || p->checks == NULL)
        error_set(error, code, "out of memory for the pods");
    else
        code = 0;
    for (uint32_t k = 0; k < p->count && code == 0; k++)
        code = make_pod(p, k, error);
    if (code != 0)
        worlds_free(p);
    else
        *pods = p;
    return code;
}

void worlds_free(struct worlds *p)
{
    if (p == NULL)
        return;
    for (uint32_t k = 0; p->pods != NULL && k < p->count; k++)
        world_free(p->pods[k].world);
    for (size_t r = 0; r < p->round_count; r++)
        free(p->rounds[r].models);
    free(p->rounds);
    free(p->made);
    free(p->states);
    free(p->checks);
    free(p->mixes);
    free(p->pods);
    free(p);
}

static bool is_cut(const struct worlds *p, uint32_t pod, uint64_t at_ms)
{
    for (size_t i = 0; i < p->config.cut_count; i++) {
        const struct worlds_cut *c = &p->config.cuts[i];
        if (c->pod == pod && at_ms >= c->from_ms && at_ms < c->to_ms)
            return true;
    }
    return false;
}

static void post(struct worlds *p, uint32_t from_pod,
                 const struct world_post *post, uint64_t at_ms)
{
    struct world *to = p->pods[post->pod].world;

    if (p->config.duplicate_ppm > 0 &&
        prg_below(&p->prg, MILLION) < p->config.duplicate_ppm) {
        struct world_post twin = *post;
        const size_t size = post->head_size + post->body_size;
        twin.head = malloc(size);
        if (twin.head == NULL)
            abort();
        memcpy(twin.head, post->head, size);
        world_deliver(to, from_pod, &twin,
                      at_ms + prg_below(&p->prg, p->most_ms + 1));
    }
    world_deliver(to, from_pod, post, at_ms);
}

static void forward(struct worlds *p, uint32_t k)
{
    size_t count;
    const struct world_post *posts = world_posts(p->pods[k].world, &count);

    for (size_t i = 0; i < count; i++) {
        struct world_post letter = posts[i];
        uint64_t at = letter.sent_ms + p->least_ms +
                      (p->most_ms > p->least_ms
                           ? prg_below(&p->prg, p->most_ms - p->least_ms + 1)
                           : 0);
        bool lost = prg_below(&p->prg, MILLION) < p->config.loss_ppm;
        if (p->config.tamper != NULL)
            p->config.tamper(p->config.tamper_context, k, &letter);
        if (lost || letter.head_size == 0 || is_cut(p, k, letter.sent_ms) ||
            is_cut(p, letter.pod, letter.sent_ms))
            free(letter.head);
        else
            post(p, k, &letter, at);
    }
}

static struct worlds_round *round_at(struct worlds *p, size_t round)
{
    while (p->round_room <= round) {
        size_t room = p->round_room == 0 ? ROUNDS_ROOM : 2 * p->round_room;
        p->rounds = realloc(p->rounds, room * sizeof *p->rounds);
        p->made = realloc(p->made, room * sizeof *p->made);
        p->states = realloc(p->states, room * sizeof *p->states);
        if (p->rounds == NULL || p->made == NULL || p->states == NULL)
            abort();
        memset(p->rounds + p->round_room, 0,
               (room - p->round_room) * sizeof *p->rounds);
        memset(p->made + p->round_room, 0,
               (room - p->round_room) * sizeof *p->made);
        p->round_room = room;
    }
    for (; p->round_count <= round; p->round_count++) {
        p->rounds[p->round_count].models =
            calloc(p->count * p->width + 1, sizeof(double));
        if (p->rounds[p->round_count].models == NULL)
            abort();
    }
    return &p->rounds[round];
}

static void measure(const struct worlds *p, struct worlds_round *r)
{
    for (size_t j = 0; j < p->width; j++) {
        double mean = 0;
        for (uint32_t k = 0; k < p->count; k++)
            mean += r->models[k * p->width + j] / p->count;
        for (uint32_t k = 0; k < p->count; k++) {
            double d = r->models[k * p->width + j] - mean;
            r->consensus += d * d / p->count;
        }
    }
}

/* The rows and columns of W have sum 1: no round moves the mean. */
static void compare_means(struct worlds *p, size_t round)
{
    const struct worlds_round *r = &p->rounds[round];
    const double n = p->count;

    for (size_t j = 0; j < p->width; j++) {
        double before = 0, after = 0, largest = 0;
        for (uint32_t k = 0; k < p->count; k++) {
            size_t count;
            bool complete;
            double value;
            const uint64_t *words =
                podcheck_offered(p->checks[k], round, &count, &complete);
            if (words == NULL || count != p->width || !complete)
                return;
            memcpy(&value, &words[j], sizeof value);
            before += value / n;
            after += r->models[k * p->width + j] / n;
            largest = fmax(largest, fabs(value));
        }
        if (!(fabs(after - before) <= MEAN_TOLERANCE * largest))
            finding_say(
                &p->violation,
                "round %zu moved the mean of entry %zu from %.17g to %.17g",
                round, j, before, after);
    }
    p->means += p->width > 0;
}

static void check_exact(struct worlds *p, uint32_t k, size_t round,
                        const struct gossip_view *view)
{
    uint8_t *state = p->states[round];

    if (p->made[round] == 0)
        memcpy(state, view->state_hash, GOSSIP_HASH_BYTES);
    else if (memcmp(state, view->state_hash, GOSSIP_HASH_BYTES) != 0)
        finding_say(&p->violation,
                    "pod %" PRIu32
                    " has another state than those before it after "
                    "round %zu",
                    k, round);
}

/* A pod's model as its first honest member has it. */
static const struct member *witness(const struct pod *pod)
{
    for (uint32_t i = 0; i < pod->view.site_count; i++)
        if ((pod->liars >> i & 1) == 0 && world_member(pod->world, i) != NULL)
            return world_member(pod->world, i);
    return NULL;
}

static void look(struct worlds *p, uint32_t k)
{
    struct pod *pod = &p->pods[k];
    const struct member *m = witness(pod);
    struct gossip_view view;
    struct mix_view mix;

    if (m == NULL)
        return;
    member_view(m, &view);
    if (view.round <= pod->seen_round)
        return;
    member_pods(m, &mix);
    for (uint64_t n = pod->seen_round + 1; n <= view.round; n++) {
        struct worlds_round *r = round_at(p, (size_t)n - 1);
        if (p->width > 0 && r->models != NULL)
            memcpy(r->models + k * p->width,
                   (const double *)view.state + DGD_SLOTS,
                   p->width * sizeof(double));
        if (mix.alone > pod->seen_alone)
            r->left_out += (uint32_t)(mix.alone - pod->seen_alone);
        pod->seen_alone = mix.alone;
        r->jumped = r->jumped || view.round > pod->seen_round + 1;
        r->loss += member_loss(m) / p->count;
        r->virtual_ms = p->now_ms;
        for (uint32_t i = 0; i < pod->view.site_count; i++)
            r->bytes += world_sent(pod->world, i);
        if (p->config.study->exact && n == view.round)
            check_exact(p, k, (size_t)n - 1, &view);
        if (++p->made[n - 1] < p->count)
            continue;
        measure(p, r);
        if (!p->config.study->exact && !r->jumped)
            compare_means(p, (size_t)n - 1);
        for (uint32_t q = 0; q < p->count; q++)
            podcheck_forget(p->checks[q], n - 1);
    }
    pod->seen_round = view.round;
}

static void watch(struct worlds *p)
{
    podcheck_between(p->checks, p->count);
    for (uint32_t k = 0; k < p->count; k++)
        if (podcheck_violation(p->checks[k])[0] != '\0')
            finding_say(&p->violation, "%s", podcheck_violation(p->checks[k]));
}

/* All that happens in one world before that time. */
static void run_world(struct world *w, uint64_t until_ms)
{
    while (world_goes_on(w) && world_next_ms(w) < until_ms)
        world_turn(w);
}

struct window { /* one stretch of time, worked off by all threads */
    struct worlds *worlds;
    uint64_t until_ms;
    atomic_uint next;
};

static void *work(void *argument)
{
    struct window *window = argument;
    uint32_t k;

    while ((k = atomic_fetch_add(&window->next, 1)) < window->worlds->count)
        run_world(window->worlds->pods[k].world, window->until_ms);
    return NULL;
}

static void run_window(struct worlds *p, uint64_t until_ms)
{
    struct window window = {.worlds = p, .until_ms = until_ms};
    pthread_t threads[THREADS_MAX];
    uint32_t count = 0;

    while (count < THREADS_MAX && count + 1 < p->config.threads &&
           pthread_create(&threads[count], NULL, work, &window) == 0)
        count++;
    work(&window);
    while (count > 0)
        pthread_join(threads[--count], NULL);
}

static bool next_window(struct worlds *p)
{
    uint64_t at = UINT64_MAX;

    for (uint32_t k = 0; k < p->count; k++) {
        struct world *w = p->pods[k].world;
        if (world_goes_on(w) && world_next_ms(w) < at)
            at = world_next_ms(w);
        if (world_violation(w)[0] != '\0')
            return false;
    }
    if (p->violation.text[0] != '\0')
        return false;
    p->now_ms = at;
    return at != UINT64_MAX;
}

static void conclude(struct worlds *p)
{
    for (uint32_t k = 0; k < p->count; k++) {
        struct world *w = p->pods[k].world;
        world_conclude(w);
        if (world_violation(w)[0] != '\0')
            finding_say(&p->violation, "pod %u: %s", k, world_violation(w));
        if (p->reason[0] == '\0' && world_reason(w)[0] != '\0')
            snprintf(p->reason, sizeof p->reason, "pod %u: %s", k,
                     world_reason(w));
    }
    if (p->violation.text[0] != '\0' && p->reason[0] == '\0')
        snprintf(p->reason, sizeof p->reason, "%s", p->violation.text);
    while (p->round_count > 0 && p->made[p->round_count - 1] < p->count)
        free(p->rounds[--p->round_count].models);
}

int worlds_run(struct worlds *p)
{
    for (uint32_t k = 0; k < p->count; k++) {
        world_start(p->pods[k].world);
        forward(p, k);
    }
    while (next_window(p)) {
        /* Nothing gets from pod to pod in less. */
        run_window(p, p->now_ms + p->least_ms);
        for (uint32_t k = 0; k < p->count; k++) {
            forward(p, k);
            look(p, k);
        }
        watch(p);
    }
    conclude(p);
    return p->reason[0] == '\0' ? 0 : -1;
}

const char *worlds_reason(const struct worlds *p)
{
    return p->reason;
}

const char *worlds_violation(const struct worlds *p)
{
    return p->violation.text;
}

void worlds_facts(struct worlds *p, struct worlds_facts *facts)
{
    *facts =
        (struct worlds_facts){.all_return = p->all_return, .means = p->means};
    for (uint32_t k = 0; k < p->count; k++) {
        struct world_facts f;
        world_facts(p->pods[k].world, &f);
        if (f.virtual_ms > facts->virtual_ms)
            facts->virtual_ms = f.virtual_ms;
        facts->bytes_sent += f.bytes_sent;
        facts->messages += f.messages;
        facts->crashes += f.crashes;
        facts->restarts += f.restarts;
        facts->lies += f.lies;
        facts->matched += podcheck_matched(p->checks[k]);
        facts->liars += (uint32_t)__builtin_popcountll(p->pods[k].liars);
        facts->finished += world_reason(p->pods[k].world)[0] == '\0';
    }
    for (size_t r = 0; r < p->round_count; r++)
        facts->left_out += p->rounds[r].left_out;
}

struct world *worlds_world(struct worlds *p, uint32_t pod)
{
    return p->pods[pod].world;
}

const struct worlds_round *worlds_rounds(const struct worlds *p, size_t *count)
{
    *count = p->round_count;
    return p->rounds;
}

size_t worlds_width(const struct worlds *p)
{
    return p->width;
}
