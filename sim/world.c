#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sim/outcome.h"
#include "sim/perform.h"
#include "sim/post.h"
#include "sim/scene.h"

enum { PARTITION_MS = 50 }; /* until a transport notices a silent network */

static struct prg prg_of(const char *what, uint64_t seed)
{
    uint8_t key[PRG_SEED_BYTES], bytes[8];
    crypto_generichash_state h;
    struct prg prg;

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(seed >> 8 * i);
    crypto_generichash_init(&h, NULL, 0, sizeof key);
    crypto_generichash_update(&h, (const uint8_t *)what, strlen(what) + 1);
    crypto_generichash_update(&h, bytes, sizeof bytes);
    crypto_generichash_final(&h, key, sizeof key);
    prg_seed(&prg, key);
    return prg;
}

void world_config_of(struct world_config *c, const struct study *study,
                     const struct dataset *const *datasets)
{
    *c = (struct world_config){.study = study,
                               .datasets = datasets,
                               .seed = study->seed,
                               .end_ms = study->end_ms};
    c->laws.latency_min_ms = study->latency_min_ms;
    c->laws.latency_max_ms = study->latency_max_ms;
    c->laws.bits_per_ms = (uint64_t)llround(study->bandwidth_mbit * 1000);
    c->laws.loss_ppm = (uint32_t)llround(study->loss * 1e6);
    for (size_t i = 0; i < study->partition_count; i++) {
        const struct study_partition *from = &study->partition[i];
        struct network_partition *to =
            &c->laws.partitions[c->laws.partition_count++];
        memcpy(to->groups, from->groups, sizeof to->groups);
        to->group_count = from->group_count;
        to->from_ms = from->from_ms;
        to->to_ms = from->to_ms;
    }
    for (size_t i = 0; i < study->crash_count; i++) {
        const struct study_crash *from = &study->crash[i];
        struct world_crash *to = &c->crashes[c->crash_count++];
        *to = (struct world_crash){.member = from->site,
                                   .type = WIRE_Y,
                                   .when = from->after_y ? WORLD_AFTER
                                                         : WORLD_BEFORE,
                                   .round = from->round,
                                   .restart_after_ms = WORLD_NEVER};
        for (size_t k = 0; k < study->restart_count; k++)
            if (study->restart[k].site == from->site)
                to->restart_after_ms = study->restart[k].after_ms;
    }
}

static void start(struct world *w, uint32_t i)
{
    struct scene_site *s = &w->sites[i];
    struct gossip_record records[MEMBER_SLOTS];
    struct error error = {{0}};
    size_t count = 0;

    /* Whoever simulates all sites has their rows anyway. */
    static const struct gate_policy policy = {.rows_min = GATE_ROWS_MIN,
                                              .unmasked = true};
    struct member_config config = {.study = &w->study,
                                   .dataset = w->config.datasets[i],
                                   .policy = &policy,
                                   .self = i,
                                   .identity = &s->identity,
                                   .pods = w->config.pods,
                                   .verify = signatures_verify,
                                   .verify_context = w->signatures};
    prg_bytes(&w->prg, config.seed, sizeof config.seed);
    for (uint32_t k = 0; k < MEMBER_SLOTS; k++)
        if (s->saved[k].set)
            records[count++] =
                (struct gossip_record){.slot = k,
                                       .bytes = s->saved[k].bytes,
                                       .size = s->saved[k].size};
    member_free(s->member);
    s->member = NULL;
    if (member_new(&s->member, &config, records, count, &error) != 0) {
        snprintf(w->reason, sizeof w->reason, "%s", error.text);
        return;
    }
    s->up = true;
    s->left = s->done = s->working = s->returning = false;
    s->life++;
    s->wake_ms = UINT64_MAX;
    s->told = 0;
    s->seen_round = 0;
    w->network.free_us[i] = w->now_ms * 1000;
    for (uint32_t j = 0; j < w->study.site_count; j++)
        if (j != i)
            scene_hint(w, i, j, network_latency(&w->network));
    scene_hint_all(w, i, true);
    perform_step(
        w, i,
        &(struct gossip_event){.kind = GOSSIP_TIMER, .now_ms = w->now_ms});
}

/* Whoever finished and left has to be run again to serve a member that was
 * away: its people would, and so does the world. */
static void restart(struct world *w, uint32_t i)
{
    w->restarts++;
    trace_say(&w->trace, i, "starts again");
    start(w, i);
    for (uint32_t j = 0; j < w->study.site_count; j++)
        if (j != i && w->sites[j].up && w->sites[j].left) {
            trace_say(&w->trace, j, "is run again");
            start(w, j);
        }
}

static void deliver(struct world *w, const struct queue_item *item)
{
    struct gossip_event event = {.kind = GOSSIP_RECEIVED, .now_ms = w->now_ms};
    struct wire_message m;

    if (w->trace.file != NULL && !w->config.story &&
        wire_parse(&m, item->head, item->head_size, w->study.site_count) == 0)
        trace_message(&w->trace, item->member, "<-", item->from, &m, "");
    post_heard(w, item);
    event.received.from = item->from;
    event.received.head = item->head;
    event.received.head_size = item->head_size;
    event.received.body = item->head + item->head_size;
    event.received.body_size = item->body_size;
    perform_step(w, item->member, &event);
}

static void tell(struct world *w, uint32_t i, uint32_t about)
{
    struct scene_site *s = &w->sites[i];
    const struct scene_site *peer = &w->sites[about];
    bool up = peer->up && !peer->left &&
              network_joined(&w->network, i, about, w->now_ms);
    struct gossip_event event = {.kind = GOSSIP_LINK, .now_ms = w->now_ms};

    if (up == ((s->told >> about & 1) != 0))
        return;
    s->told ^= UINT64_C(1) << about;
    trace_say(&w->trace, i, "link %s %s", w->study.sites[about].name,
              up ? "up" : "down");
    event.link.member = about;
    event.link.up = up;
    perform_step(w, i, &event);
}

static void receive_post(struct world *w, const struct queue_item *item)
{
    struct gossip_event event = {.kind = GOSSIP_POSTED, .now_ms = w->now_ms};

    if (w->rumour != NULL && (w->config.liars >> item->member & 1))
        rumour_hear(w->rumour, item->head, item->head_size,
                    item->head + item->head_size, item->body_size);
    trace_post(&w->trace, item->member, "<-", item->pod, item->from, item->head,
               item->head_size, "");
    event.posted.pod = item->pod;
    event.posted.from = item->from;
    event.posted.head = item->head;
    event.posted.head_size = item->head_size;
    event.posted.body = item->head + item->head_size;
    event.posted.body_size = item->body_size;
    perform_step(w, item->member, &event);
}

static void happen(struct world *w, const struct queue_item *item)
{
    struct scene_site *s = &w->sites[item->member];
    bool alive = s->up && !s->left;

    switch (item->kind) {
    case QUEUE_MESSAGE:
        if (alive)
            deliver(w, item);
        return;
    case QUEUE_TIMER:
        if (!alive || item->life != s->life || item->at_ms != s->wake_ms)
            return;
        s->wake_ms = UINT64_MAX;
        if (!w->config.story)
            trace_say(&w->trace, item->member, "timer");
        perform_step(
            w, item->member,
            &(struct gossip_event){.kind = GOSSIP_TIMER, .now_ms = w->now_ms});
        return;
    case QUEUE_HINT:
        if (alive)
            tell(w, item->member, item->from);
        return;
    case QUEUE_JOB:
        if (alive && item->life == s->life)
            perform_work(w, item->member);
        return;
    case QUEUE_RESTART:
        if (!s->up)
            restart(w, item->member);
        return;
    case QUEUE_POST:
        if (alive)
            receive_post(w, item);
    }
}

static bool is_over(const struct world *w)
{
    for (uint32_t i = 0; i < w->study.site_count; i++)
        if ((w->config.liars >> i & 1) == 0 &&
            ((w->sites[i].up && !w->sites[i].left) || w->sites[i].returning))
            return false;
    return true;
}

void world_start(struct world *w)
{
    for (uint32_t i = 0; i < w->study.site_count && !w->reason[0]; i++)
        start(w, i);
    for (uint32_t i = 0; i < w->study.site_count; i++)
        for (size_t k = 0; k < w->config.laws.partition_count; k++)
            for (uint32_t j = 0; j < w->study.site_count; j++) {
                const struct network_partition *p =
                    &w->config.laws.partitions[k];
                if (j == i)
                    continue;
                scene_hint(w, i, j, p->from_ms + PARTITION_MS);
                scene_hint(w, i, j, p->to_ms + PARTITION_MS);
            }
}

bool world_goes_on(const struct world *w)
{
    return !w->late && w->reason[0] == '\0' && w->violation[0] == '\0' &&
           !is_over(w) && w->queue.count > 0;
}

uint64_t world_next_ms(const struct world *w)
{
    return w->queue.count == 0 ? UINT64_MAX : w->queue.items[0].at_ms;
}

void world_turn(struct world *w)
{
    struct queue_item item;

    if (!queue_pop(&w->queue, &item))
        return;
    w->late = item.at_ms > w->config.end_ms ||
              (w->config.stall_ms > 0 &&
               item.at_ms > w->opened_ms + w->config.stall_ms);
    if (!w->late) {
        w->now_ms = w->trace.now_ms = item.at_ms;
        happen(w, &item);
    }
    free(item.head);
    if (w->violation[0] == '\0')
        snprintf(w->violation, sizeof w->violation, "%s",
                 check_violation(w->check));
    if (w->violation[0] == '\0' && w->podcheck != NULL)
        snprintf(w->violation, sizeof w->violation, "%s",
                 podcheck_violation(w->podcheck));
}

void world_conclude(struct world *w)
{
    if (w->violation[0] != '\0')
        snprintf(w->reason, sizeof w->reason,
                 "seed %" PRIu64 ", %" PRIu64 " ms: %s", w->config.seed,
                 w->now_ms, w->violation);
    trace_flush(&w->trace);
    outcome_conclude(w);
}

int world_run(struct world *w)
{
    world_start(w);
    while (world_goes_on(w))
        world_turn(w);
    world_conclude(w);
    return w->reason[0] == '\0' ? 0 : -1;
}

const struct world_post *world_posts(struct world *w, size_t *count)
{
    *count = w->post_count;
    w->post_count = 0;
    return w->posts;
}

void world_deliver(struct world *w, uint32_t from_pod,
                   const struct world_post *post, uint64_t at_ms)
{
    queue_push(&w->queue, (struct queue_item){.at_ms = at_ms,
                                              .kind = QUEUE_POST,
                                              .member = post->to,
                                              .from = post->from,
                                              .pod = from_pod,
                                              .head = post->head,
                                              .head_size = post->head_size,
                                              .body_size = post->body_size});
}

struct podcheck *world_podcheck(struct world *w)
{
    return w->podcheck;
}

const struct identity_public *world_key(const struct world *w, uint32_t member)
{
    return &w->sites[member].identity.open;
}

static void fill_canaries(struct world *w)
{
    for (uint32_t i = 0; i < w->study.site_count; i++) {
        const struct dataset *d = w->config.datasets[i];
        for (size_t k = 0; k < d->row_count * d->column_count; k++) {
            uint64_t bits;
            memcpy(&bits, &d->x[k], sizeof bits);
            if (d->x[k] != 0 && d->x[k] != 1)
                canary_add(w->canary, bits, "a value of a row");
        }
    }
}

static int recruit(struct world *w)
{
    struct adversary_config config = {
        .study = &w->study, .liars = w->config.liars, .seed = w->config.seed};

    memcpy(config.deceits, w->config.deceits, sizeof config.deceits);
    w->adversary = adversary_new(&config);
    if (w->adversary == NULL)
        return -1;
    for (uint32_t i = 0; i < w->study.site_count; i++)
        if (config.liars >> i & 1)
            adversary_enlist(w->adversary, i, &w->sites[i].identity);
    return 0;
}

static int recruit_for_pods(struct world *w)
{
    struct rumour_config config = {
        .study = &w->study, .liars = w->config.liars, .seed = w->config.seed};

    memcpy(config.kinds, w->config.rumours, sizeof config.kinds);
    w->rumour = rumour_new(&config);
    if (w->rumour == NULL)
        return -1;
    for (uint32_t i = 0; i < w->study.site_count; i++)
        if (config.liars >> i & 1)
            rumour_enlist(w->rumour, i, w->sites[i].identity.sign_secret);
    return 0;
}

static int watch_pods(struct world *w)
{
    if (w->config.pods == NULL)
        return 0;
    w->podcheck = podcheck_new(&w->study, w->config.liars);
    if (w->podcheck == NULL)
        return -1;
    return w->config.liars == 0 ? 0 : recruit_for_pods(w);
}

int world_new(struct world **world, const struct world_config *config,
              struct error *error)
{
    const uint32_t members = config->study->site_count;
    struct world *w = calloc(1, sizeof *w);
    uint8_t seed[PRG_SEED_BYTES];

    *world = w;
    if (w == NULL)
        return error_set(error, -ENOMEM, "out of memory for a world");
    w->config = *config;
    w->study = *config->study;
    w->study.sites = calloc(members, sizeof *w->study.sites);
    w->sites = calloc(members, sizeof *w->sites);
    w->check = check_new(members, config->study->threshold);
    if (w->check != NULL)
        check_liars(w->check, config->liars, config->study->colluders);
    w->signatures = signatures_new();
    w->canary = config->search ? canary_new() : NULL;
    if (w->study.sites == NULL || w->sites == NULL || w->check == NULL ||
        w->signatures == NULL || (config->search && w->canary == NULL))
        goto fail;
    w->prg = prg_of("starling world", config->seed);
    prg_bytes(&w->prg, seed, sizeof seed);
    network_start(&w->network, &config->laws, seed);
    for (uint32_t i = 0; i < members; i++) {
        w->study.sites[i] = config->study->sites[i];
        identity_generate(&w->sites[i].identity, &w->prg);
        w->study.sites[i].key = w->sites[i].identity.open;
        w->study.sites[i].has_key = true;
    }
    w->trace = (struct trace){
        .file = config->trace, .study = &w->study, .story = config->story};
    if (w->canary != NULL)
        fill_canaries(w);
    member_bind(&w->context, &w->study);
    if ((config->liars != 0 && recruit(w) != 0) || watch_pods(w) != 0)
        goto fail;
    return 0;
fail:
    world_free(w);
    *world = NULL;
    return error_set(error, -ENOMEM, "out of memory for a world");
}

void world_free(struct world *w)
{
    if (w == NULL)
        return;
    for (uint32_t i = 0; w->sites != NULL && i < w->study.site_count; i++) {
        member_free(w->sites[i].member);
        identity_wipe(&w->sites[i].identity);
        for (int k = 0; k < MEMBER_SLOTS; k++)
            free(w->sites[i].saved[k].bytes);
    }
    queue_free(&w->queue);
    check_free(w->check);
    canary_free(w->canary);
    adversary_free(w->adversary);
    podcheck_free(w->podcheck);
    rumour_free(w->rumour);
    signatures_free(w->signatures);
    free(w->sites);
    free(w->study.sites);
    free(w->rounds);
    for (size_t i = 0; i < w->post_count; i++)
        free(w->posts[i].head);
    free(w->posts);
    free(w);
}

const char *world_reason(const struct world *w)
{
    return w->reason;
}

const char *world_violation(const struct world *w)
{
    return w->violation;
}

void world_facts(const struct world *w, struct world_facts *facts)
{
    *facts = (struct world_facts){.virtual_ms = w->now_ms,
                                  .messages = w->messages,
                                  .crashes = w->crashes,
                                  .restarts = w->restarts,
                                  .lies = w->lies,
                                  .sum_exact = check_sums(w->check) > 0 &&
                                               w->violation[0] == '\0',
                                  .rounds = w->rounds};
    for (size_t i = 0; i < w->round_count && w->rounds[i].survivors != 0; i++)
        facts->round_count++;
    for (uint32_t i = 0; i < w->study.site_count; i++) {
        struct gossip_view view;
        facts->bytes_sent += w->sites[i].bytes_sent;
        facts->losses += w->sites[i].has_lost_store;
        if (w->config.liars >> i & 1)
            continue;
        if (w->sites[i].up || w->sites[i].returning)
            facts->honest |= UINT64_C(1) << i;
        if (w->sites[i].crashes == 0)
            facts->steady |= UINT64_C(1) << i;
        if (w->sites[i].member == NULL)
            continue;
        member_view(w->sites[i].member, &view);
        facts->accused |= view.accused;
        facts->revealed |= view.revealed;
        if (w->sites[i].done)
            memcpy(facts->state_hash, view.state_hash,
                   sizeof facts->state_hash);
    }
}

uint64_t world_effects(const struct world *w, uint32_t member)
{
    return w->sites[member].effects;
}

const struct member *world_member(const struct world *w, uint32_t member)
{
    return w->sites[member].member;
}

uint64_t world_sent(const struct world *w, uint32_t member)
{
    return w->sites[member].bytes_sent;
}
