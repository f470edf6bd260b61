/* Pods that mix, without engines: what they offer is put in by hand, the
 * network is a list of letters. */

#include "node/blend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "crypto/prg.h"

enum { PODS_MAX = 25, MEMBERS_MAX = 5, LETTERS_MAX = 40000, PATIENCE_MS = 400 };

struct letter {
    uint64_t at_ms;
    uint32_t from_pod, from, pod, to;
    size_t head_size, body_size;
    uint8_t *bytes;
};

struct node {
    struct study view;
    struct blend *blend;
    uint8_t record[16384];
    size_t record_size;
    size_t prepares[2]; /* sent of ballot 0, one to each fellow; by stage */
};

struct net {
    uint32_t pods, members;
    struct study whole;
    struct identity identities[PODS_MAX][MEMBERS_MAX];
    uint8_t keys[PODS_MAX][MEMBERS_MAX][IDENTITY_KEY_BYTES];
    struct mix_pod mixes[PODS_MAX];
    struct node nodes[PODS_MAX][MEMBERS_MAX];
    struct letter letters[LETTERS_MAX];
    size_t count;
    uint64_t now_ms;
    uint32_t loss_ppm;
    uint64_t cut; /* pods that nothing gets to or from */
    struct prg prg;
    bool (*tamper)(struct net *net, struct letter *letter); /* false: drop */
    size_t tampered;
};

static struct net net; /* large */

static int verify(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key)
{
    (void)context;
    return identity_verify(signature, domain, message, size, key);
}

static void open_node(uint32_t p, uint32_t i, bool again)
{
    struct node *n = &net.nodes[p][i];
    struct gossip_record saved = {
        .slot = 0, .bytes = n->record, .size = n->record_size};
    struct error error = {{0}};
    struct blend_config config = {.study = &n->view,
                                  .pods = net.mixes,
                                  .self = i,
                                  .words_max = 4,
                                  .saved = again && n->record_size > 0 ? &saved
                                                                       : NULL,
                                  .verify = verify};

    blend_free(n->blend);
    n->view = net.whole;
    n->view.pod = p;
    config.sign_secret = net.identities[p][i].sign_secret;
    if (blend_new(&n->blend, &config, &error) != 0)
        fail_msg("%s", error.text);
}

static void open_net(uint32_t pods, uint32_t members,
                     const struct schedule_spec *spec, uint32_t believed)
{
    uint8_t seed[PRG_SEED_BYTES] = "blends";

    memset(&net, 0, sizeof net);
    net.pods = pods;
    net.members = members;
    prg_seed(&net.prg, seed);
    net.whole.path = (char *)"study.yaml";
    net.whole.pod_count = pods;
    net.whole.mixing = *spec;
    net.whole.mixing.n = pods;
    net.whole.deadline_ms = 2000;
    net.whole.patience_ms = PATIENCE_MS;
    for (uint32_t p = 0; p < pods; p++) {
        for (uint32_t i = 0; i < members; i++) {
            identity_generate(&net.identities[p][i], &net.prg);
            memcpy(net.keys[p][i], net.identities[p][i].open.sign,
                   IDENTITY_KEY_BYTES);
        }
        net.mixes[p] = (struct mix_pod){
            .members = members,
            .threshold = members == 1 ? 1 : (members + believed) / 2 + 1,
            .believed = believed,
            .keys = (const uint8_t(*)[IDENTITY_KEY_BYTES])net.keys[p]};
    }
    for (uint32_t p = 0; p < pods; p++)
        for (uint32_t i = 0; i < members; i++)
            open_node(p, i, false);
}

static void close_net(void)
{
    for (uint32_t p = 0; p < net.pods; p++)
        for (uint32_t i = 0; i < net.members; i++)
            blend_free(net.nodes[p][i].blend);
    for (size_t k = 0; k < net.count; k++)
        free(net.letters[k].bytes);
}

static void put_letter(const struct letter *l)
{
    struct letter copy = *l;

    if (net.tamper != NULL && !net.tamper(&net, &copy)) {
        free(copy.bytes);
        return;
    }
    assert_true(net.count < LETTERS_MAX);
    net.letters[net.count++] = copy;
}

static void send(uint32_t p, uint32_t i, const struct mix_effect *e)
{
    struct letter l = {.from_pod = p,
                       .from = i,
                       .pod = e->pod,
                       .to = e->to,
                       .head_size = e->head_size,
                       .body_size = e->word_count * 8};
    bool lost = prg_below(&net.prg, 1000000) < net.loss_ppm;

    l.at_ms = net.now_ms + 1 + prg_below(&net.prg, 8);
    if (e->head[1] == MIXWIRE_PREPARE && e->head[24] == 0)
        net.nodes[p][i].prepares[e->head[2]]++;
    if (lost || (p != e->pod && ((net.cut >> p | net.cut >> e->pod) & 1)))
        return;
    l.bytes = malloc(l.head_size + l.body_size);
    assert_non_null(l.bytes);
    memcpy(l.bytes, e->head, l.head_size);
    if (l.body_size > 0)
        memcpy(l.bytes + l.head_size, e->words, l.body_size);
    put_letter(&l);
}

static uint64_t number(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t k = 0; k < size; k++)
        value |= (uint64_t)at[k] << 8 * k;
    return value;
}

/* What is voted is on disk before, and what a COMMIT locks, too. */
static void is_promised(const struct node *n, const struct mix_effect *e)
{
    const uint64_t stages = net.whole.task.tracks ? 2 : 1;
    struct mixwire w;

    assert_int_equal(mixwire_parse(&w, e->head, e->head_size), 0);
    if (w.type != MIXWIRE_PREPARE && w.type != MIXWIRE_COMMIT)
        return;
    for (size_t at = 0; at < n->record_size;) {
        const uint8_t *kept = n->record + at;
        uint64_t lock = number(kept + 12, 4);
        at += 16 + lock;
        if (number(kept, 8) != w.round * stages + w.stage)
            continue;
        assert_true(number(kept + 8, 4) > w.ballot);
        assert_true(w.type == MIXWIRE_PREPARE || lock > 0);
        return;
    }
    fail_msg("a vote that is not on disk");
}

static void drain(uint32_t p, uint32_t i)
{
    struct node *n = &net.nodes[p][i];
    struct mix *mix = blend_mix(n->blend);
    size_t count;
    const struct mix_effect *list = mix_effects(mix, &count);

    for (size_t k = 0; k < count; k++)
        if (list[k].kind == MIX_SAVE) {
            n->record_size = list[k].head_size;
            memcpy(n->record, list[k].head, list[k].head_size);
        } else {
            is_promised(n, &list[k]);
            send(p, i, &list[k]);
        }
    mix_clear(mix);
}

static bool all_ready(void)
{
    for (uint32_t p = 0; p < net.pods; p++)
        for (uint32_t i = 0; i < net.members; i++)
            if (!mix_ready(blend_mix(net.nodes[p][i].blend)))
                return false;
    return true;
}

static void deliver(size_t at)
{
    struct letter l = net.letters[at];
    struct mix *mix = blend_mix(net.nodes[l.pod][l.to].blend);

    net.letters[at] = net.letters[--net.count];
    net.now_ms = l.at_ms;
    mix_receive(mix, l.from_pod, l.from, l.bytes, l.head_size,
                l.bytes + l.head_size, l.body_size, net.now_ms);
    free(l.bytes);
    drain(l.pod, l.to);
}

/* Whatever is due first: a letter or a timer. */
static void turn(void)
{
    size_t first = SIZE_MAX;
    uint64_t wake = UINT64_MAX;
    uint32_t pod = 0, member = 0;

    for (size_t k = 0; k < net.count; k++)
        if (first == SIZE_MAX ||
            net.letters[k].at_ms < net.letters[first].at_ms)
            first = k;
    for (uint32_t p = 0; p < net.pods; p++)
        for (uint32_t i = 0; i < net.members; i++) {
            uint64_t at = mix_wake(blend_mix(net.nodes[p][i].blend));
            if (at < wake) {
                wake = at;
                pod = p;
                member = i;
            }
        }
    if (first != SIZE_MAX && net.letters[first].at_ms <= wake) {
        deliver(first);
        return;
    }
    assert_true(wake != UINT64_MAX);
    net.now_ms = wake > net.now_ms ? wake : net.now_ms + 1;
    mix_tick(blend_mix(net.nodes[pod][member].blend), net.now_ms);
    drain(pod, member);
}

static void begin(uint64_t round, const double *x)
{
    const struct fixed_region region = {0, 1, 0};

    for (uint32_t p = 0; p < net.pods; p++)
        for (uint32_t i = 0; i < net.members; i++) {
            blend_values(net.nodes[p][i].blend, round, &region, &x[p],
                         net.now_ms);
            drain(p, i);
        }
}

static void finish(void)
{
    for (size_t turns = 0; !all_ready(); turns++) {
        if (turns > 400000)
            fail_msg("not decided after %zu turns", turns);
        turn();
    }
}

/* The average at every member: the same bits. */
static void average(double *x)
{
    for (uint32_t p = 0; p < net.pods; p++) {
        double other = 0, own = 0;
        for (uint32_t i = 0; i < net.members; i++) {
            blend_average(net.nodes[p][i].blend, i == 0 ? &own : &other);
            if (i > 0)
                assert_memory_equal(&own, &other, sizeof own);
        }
        x[p] = own;
    }
}

static void mix_once(uint64_t round, double *x)
{
    begin(round, x);
    finish();
    average(x);
}

static double err(const double *x, size_t n)
{
    double mean = 0, sum = 0;

    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean) / (double)n;
    return sum;
}

static const struct schedule_spec triangle = {.graph = SCHEDULE_COMPLETE};

static void a_pod_cut_off_goes_on_alone_and_comes_back(void **state)
{
    double x[3] = {0, 3, 6};
    struct mix_view view;

    (void)state;
    open_net(3, 3, &triangle, 1);
    net.cut = 1;
    mix_once(0, x);
    assert_true(x[0] == 0); /* all weight on itself */
    assert_true(fabs(x[1] - 4) < 1e-12 && fabs(x[2] - 5) < 1e-12);
    mix_view(blend_mix(net.nodes[1][0].blend), &view);
    assert_int_equal(view.gone, 1);
    assert_int_equal(view.alone, 1);
    net.cut = 0;
    uint64_t before = net.now_ms;
    for (uint64_t r = 1; r < 6; r++)
        mix_once(r, x);
    assert_true(err(x, 3) < 1e-20);
    mix_view(blend_mix(net.nodes[1][0].blend), &view);
    assert_int_equal(view.gone, 0);
    assert_true(net.now_ms - before < 6 * (uint64_t)PATIENCE_MS);
    close_net();
}

/* Who is of pod 2 sends on what pod 0 has signed. */
static bool send_on(struct net *n, struct letter *l)
{
    n->tampered += l->from_pod == 0 && l->pod == 1;
    if (l->from_pod == 0 && l->pod == 1)
        l->from_pod = 2;
    return true;
}

static void a_neighbour_speaks_for_itself_only(void **state)
{
    double x[3] = {0, 3, 6};
    struct mix_view view;

    (void)state;
    open_net(3, 3, &triangle, 1);
    net.tamper = send_on;
    mix_once(0, x);
    assert_true(net.tampered >= 3);
    assert_true(fabs(x[1] - 4) < 1e-12); /* 3 twice and 6 */
    mix_view(blend_mix(net.nodes[1][0].blend), &view);
    assert_true(view.dropped > 0);
    close_net();
}

static void sign_again(struct net *n, struct letter *l, struct mixwire *w)
{
    static const uint8_t zeros[MIXWIRE_HASH_BYTES];
    uint8_t study[MIXWIRE_HASH_BYTES];

    mixwire_study(study, zeros, zeros);
    l->head_size = mixwire_write(l->bytes, w, study,
                                 n->identities[w->pod][w->sender].sign_secret);
}

/* Pod 0's member 0 shows another vector. */
static bool show_other(struct net *n, struct letter *l)
{
    struct mixwire w;
    double lie = 1000;
    uint64_t word;

    if (l->from_pod != 0 || l->pod != 1 || l->from != 0 || l->body_size != 8 ||
        mixwire_parse(&w, l->bytes, l->head_size) != 0 ||
        w.type != MIXWIRE_OFFER)
        return true;
    n->tampered++;
    memcpy(&word, &lie, sizeof word);
    mixwire_hash(w.hash, &word, 1);
    sign_again(n, l, &w);
    memcpy(l->bytes + l->head_size, &word, sizeof word);
    return true;
}

/* Now and then. */
static bool show_two(struct net *n, struct letter *l)
{
    static size_t letters;

    return letters++ % 2 == 0 ? true : show_other(n, l);
}

static void two_versions_leave_a_pod_of_one_mind(void **state)
{
    double x[2] = {0, 8};

    (void)state;
    open_net(2, 4, &triangle, 1);
    net.loss_ppm = 100000; /* so that both versions are relayed */
    net.tamper = show_two;
    for (uint64_t r = 0; r < 10; r++)
        mix_once(r, x); /* average() compares the members' bits */
    assert_true(net.tampered > 1);
    close_net();
}

static void a_lone_liar_is_not_believed(void **state)
{
    double x[2] = {0, 8};

    (void)state;
    open_net(2, 5, &triangle, 2);
    net.tamper = show_other;
    for (uint64_t r = 0; r < 4; r++) {
        mix_once(r, x);
        assert_true(fabs(x[0] - 4) < 1e-12 && fabs(x[1] - 4) < 1e-12);
    }
    assert_true(net.tampered > 1);
    close_net();
}

/* Pod 0's member 0 claims to be far ahead, or to have finished; the offers of
 * its fellows take a while. */
static bool run_ahead(struct net *n, struct letter *l)
{
    struct mixwire w;

    if (l->from_pod != 0 || l->pod != 1 ||
        mixwire_parse(&w, l->bytes, l->head_size) != 0 ||
        w.type != MIXWIRE_OFFER)
        return true;
    if (l->from != 0) {
        l->at_ms += PATIENCE_MS / 2;
        return true;
    }
    if (n->tampered++ % 2 == 0)
        w.round += 1 << 20;
    else
        w.type = MIXWIRE_OVER;
    sign_again(n, l, &w);
    l->body_size = 0;
    return true;
}

static void a_lone_liar_ahead_is_not_believed(void **state)
{
    struct mix_view view;
    double x[2] = {0, 8};

    (void)state;
    open_net(2, 5, &triangle, 2);
    net.tamper = run_ahead;
    for (uint64_t r = 0; r < 4; r++) {
        x[0] = 0;
        x[1] = 8;
        mix_once(r, x);
        assert_true(fabs(x[1] - 4) < 1e-12);
    }
    assert_true(net.tampered > 2);
    for (uint32_t i = 0; i < 5; i++) {
        mix_view(blend_mix(net.nodes[1][i].blend), &view);
        assert_false(view.all_over);
    }
    for (uint32_t i = 0; i < 5; i++) {
        mix_over(blend_mix(net.nodes[0][i].blend), net.now_ms);
        drain(0, i);
    }
    net.tamper = NULL;
    while (net.count > 0)
        deliver(0);
    for (uint32_t i = 0; i < 5; i++) {
        mix_view(blend_mix(net.nodes[1][i].blend), &view);
        assert_true(view.all_over);
    }
    close_net();
}

static uint64_t dropped(uint32_t p, uint32_t i)
{
    struct mix_view view;

    mix_view(blend_mix(net.nodes[p][i].blend), &view);
    return view.dropped;
}

/* Changes what its byte is about: pod, sender, round, hash, signature. */
static bool forge(struct net *n, struct letter *l)
{
    static const size_t places[] = {4, 8, 12, 24, 60, 130};

    if (l->from_pod != 0 || l->pod != 1 || l->bytes[1] != MIXWIRE_OFFER)
        return true;
    size_t at = places[n->tampered++ % 6];
    if (at >= l->head_size + l->body_size)
        at = l->head_size; /* the vector's first byte */
    l->bytes[at] ^= 1;
    return true;
}

/* All is well but the signature. */
static bool forge_signature(struct net *n, struct letter *l)
{
    (void)n;
    if (l->from_pod == 0 && l->pod == 1 && l->bytes[1] == MIXWIRE_OFFER)
        l->bytes[60] ^= 1;
    return true;
}

static void forged_offers_are_dropped(void **state)
{
    double x[2] = {2, 8};

    (void)state;
    open_net(2, 3, &triangle, 1);
    net.tamper = forge;
    mix_once(0, x);
    assert_true(x[1] == 8); /* nothing of pod 0 was believed */
    assert_true(fabs(x[0] - 5) < 1e-12);
    assert_true(net.tampered > 6);
    net.tamper = forge_signature;
    x[0] = 2;
    x[1] = 8;
    mix_once(1, x);
    assert_true(x[1] == 8);
    assert_true(dropped(1, 0) + dropped(1, 1) + dropped(1, 2) > 6);
    close_net();
}

/* Round 0's offers of pod 0 in the place of all later ones. */
static bool replay(struct net *n, struct letter *l)
{
    static uint8_t first[512];
    static size_t size;

    if (l->from_pod != 0 || l->pod != 1 || l->bytes[1] != MIXWIRE_OFFER)
        return true;
    if (n->tampered++ == 0) {
        size = l->head_size + l->body_size;
        memcpy(first, l->bytes, size);
    }
    if (size == l->head_size + l->body_size)
        memcpy(l->bytes, first, size);
    return true;
}

static void replayed_offers_are_not_mixed_again(void **state)
{
    double x[2] = {2, 8};

    (void)state;
    open_net(2, 3, &triangle, 1);
    net.tamper = replay;
    mix_once(0, x);
    assert_true(fabs(x[1] - 5) < 1e-12);
    x[0] = 2;
    x[1] = 8;
    mix_once(1, x);
    assert_true(x[1] == 8);
    close_net();
}

static bool hide_commits(struct net *n, struct letter *l)
{
    (void)n;
    return l->bytes[1] != MIXWIRE_COMMIT && l->bytes[1] != MIXWIRE_CERT;
}

/* A member that restarts after its vote votes no second time in that ballot;
 * with its lock it can only confirm the value it has locked. */
static void a_restart_does_not_vote_twice(void **state)
{
    double x[2] = {2, 8}, kept[2] = {2, 8};

    (void)state;
    open_net(2, 3, &triangle, 1);
    net.tamper = hide_commits;
    begin(0, x);
    while (net.nodes[1][1].record_size < 100) /* until it has a lock */
        turn();
    size_t before = net.nodes[1][1].prepares[0];
    assert_true(before > 0);
    open_node(1, 1, true);
    uint64_t restarted = net.now_ms;
    blend_values(net.nodes[1][1].blend, 0, &(struct fixed_region){0, 1, 0},
                 &kept[1], net.now_ms);
    drain(1, 1);
    while (net.now_ms < restarted + 400) /* ballot 0 goes on */
        turn();
    assert_int_equal(net.nodes[1][1].prepares[0], before);
    net.tamper = NULL;
    finish();
    average(x);
    assert_true(fabs(x[1] - 5) < 1e-12);
    close_net();
}

/* Its neighbour may by then have thrown away what it voted for. */
static void who_is_alone_in_a_pod_keeps_no_vote(void **state)
{
    const struct fixed_region region = {0, 1, 0};
    double x[2] = {2, 8}, own = 8;

    (void)state;
    open_net(2, 1, &triangle, 1);
    begin(0, x);
    finish();
    assert_true(net.nodes[1][0].record_size > 100); /* a lock */
    net.cut = 1;
    open_node(1, 0, true);
    blend_values(net.nodes[1][0].blend, 0, &region, &own, net.now_ms);
    drain(1, 0);
    finish();
    blend_average(net.nodes[1][0].blend, &own);
    assert_true(own == 8);
    close_net();
}

/* Pod 1's member `key` sends this to its fellow `to`, in w->sender's name. */
static void inject(struct mixwire *w, uint32_t key, uint32_t to)
{
    static const uint8_t zeros[MIXWIRE_HASH_BYTES];
    uint8_t study[MIXWIRE_HASH_BYTES];
    struct letter l = {.at_ms = net.now_ms + 1,
                       .from_pod = 1,
                       .from = key,
                       .pod = 1,
                       .to = to,
                       .bytes = malloc(MIXWIRE_MAX)};

    assert_non_null(l.bytes);
    w->pod = 1;
    mixwire_study(study, zeros, zeros);
    l.head_size =
        mixwire_write(l.bytes, w, study, net.identities[1][key].sign_secret);
    put_letter(&l);
}

static void inject_all(struct mixwire *w, uint32_t key)
{
    for (uint32_t to = 0; to < net.members; to++)
        if (to != w->sender)
            inject(w, key, to);
}

/* Two pods at 0 and 8: what its member says moves pod 1 nowhere. */
static void says_in_vain(struct mixwire *w, uint32_t key, bool exact)
{
    double x[2] = {0, 8};

    open_net(2, 5, &triangle, 1);
    net.whole.exact = exact;
    for (uint32_t p = 0; exact && p < 2; p++)
        for (uint32_t i = 0; i < 5; i++)
            open_node(p, i, false);
    if (!exact) {
        begin(0, x);
        inject_all(w, key);
        finish();
        average(x);
        assert_true(fabs(x[1] - 4) < 1e-12);
        close_net();
        return;
    }
    const uint64_t lanes[2] = {3, 8};
    for (uint32_t p = 0; p < 2; p++)
        for (uint32_t i = 0; i < 5; i++) {
            blend_lanes(net.nodes[p][i].blend, 0, &lanes[p], sizeof *lanes, 1,
                        5, net.now_ms);
            drain(p, i);
        }
    inject_all(w, key);
    finish();
    for (uint32_t i = 0; i < 5; i++) {
        uint64_t count;
        assert_int_equal(*blend_sum(net.nodes[1][i].blend, &count), 11);
        assert_int_equal(count, 10);
    }
    close_net();
}

/* A proposal that leaves the neighbour out is one that a member could vote for:
 * so it has to be its proposer's. */
static void only_the_proposer_is_heard(void **state)
{
    struct mixwire w = {.type = MIXWIRE_PROPOSE, .sender = 2};

    (void)state;
    says_in_vain(&w, 2, false);
}

static void a_proposal_in_another_name_is_refused(void **state)
{
    struct mixwire w = {.type = MIXWIRE_PROPOSE, .sender = 0};

    (void)state;
    says_in_vain(&w, 2, false);
}

static void exact_pods_leave_nobody_out(void **state)
{
    struct mixwire w = {.type = MIXWIRE_PROPOSE, .sender = 0};

    (void)state;
    says_in_vain(&w, 0, true);
}

/* Its own last ballot but one: who followed would propose nothing after it. */
static void a_lone_liar_moves_nobody_to_a_late_ballot(void **state)
{
    struct mixwire w = {.type = MIXWIRE_PROPOSE, .sender = 3};
    double x[2] = {0, 8};

    (void)state;
    w.ballot = (1 << 30) - 1;
    assert_int_equal(w.ballot % 5, w.sender);
    open_net(2, 5, &triangle, 2);
    begin(0, x);
    inject_all(&w, 3);
    finish();
    average(x);
    assert_true(fabs(x[1] - 4) < 1e-12);
    close_net();
}

/* A decision takes the COMMITs of t members, true ones. */
static void a_made_up_decision_is_refused(void **state)
{
    struct mixwire w = {.type = MIXWIRE_CERT, .sender = 2};

    (void)state;
    w.quorum.members = 31;
    says_in_vain(&w, 2, false);
    w.quorum.members = 0;
    says_in_vain(&w, 2, false);
}

static size_t made_up;

/* The first proposer shows a hash that nobody has offered, and counts who
 * votes for it. */
static bool make_up(struct net *n, struct letter *l)
{
    static uint8_t hash[MIXWIRE_HASH_BYTES];
    struct mixwire w;

    if (l->pod != 1 || l->from_pod != 1 ||
        mixwire_parse(&w, l->bytes, l->head_size) != 0)
        return true;
    if (w.type == MIXWIRE_PROPOSE && w.sender == 0 && l->from == 0) {
        w.value.hashes[0][0] ^= 1;
        mixwire_value_hash(hash, &w.value);
        sign_again(n, l, &w);
        n->tampered++;
    }
    made_up += n->tampered > 0 && w.type == MIXWIRE_PREPARE && w.sender != 0 &&
               memcmp(w.hash, hash, sizeof hash) == 0;
    return true;
}

static void nobody_votes_for_what_is_not_offered(void **state)
{
    double x[2] = {0, 8};

    (void)state;
    open_net(2, 5, &triangle, 1);
    net.tamper = make_up;
    made_up = 0;
    begin(0, x);
    while (net.now_ms < 3000 && !all_ready())
        turn();
    assert_true(net.tampered > 0);
    assert_int_equal(made_up, 0);
    finish();
    average(x);
    assert_true(fabs(x[1] - 4) < 1e-12);
    close_net();
}

static size_t without_pod_0;

static bool hide_and_count(struct net *n, struct letter *l)
{
    uint8_t hash[MIXWIRE_HASH_BYTES];
    struct mixwire_value value = {0};
    struct mixwire w;

    mixwire_value_hash(hash, &value);
    if (mixwire_parse(&w, l->bytes, l->head_size) == 0)
        without_pod_0 += w.type == MIXWIRE_PREPARE && w.pod == 1 &&
                         memcmp(w.hash, hash, sizeof hash) == 0;
    return hide_commits(n, l);
}

static void a_locked_member_votes_for_nothing_else(void **state)
{
    struct mixwire w = {.type = MIXWIRE_PROPOSE, .ballot = 2, .sender = 2};
    double x[2] = {2, 8};

    (void)state;
    open_net(2, 3, &triangle, 1);
    net.tamper = hide_and_count;
    without_pod_0 = 0;
    begin(0, x);
    while (net.nodes[1][1].record_size < 100)
        turn();
    inject(&w, 2, 1);
    uint64_t until = net.now_ms + 100;
    while (net.now_ms < until)
        turn();
    assert_int_equal(without_pod_0, 0);
    w.ballot = 5; /* a quorum that does not stand */
    w.quorum.ballot = 4;
    w.quorum.members = 7;
    inject(&w, 2, 1);
    for (until = net.now_ms + 100; net.now_ms < until;)
        turn();
    assert_int_equal(without_pod_0, 0);
    net.tamper = NULL;
    finish();
    average(x);
    assert_true(fabs(x[1] - 5) < 1e-12);
    close_net();
}

/* gt-atc has two steps in a round, and who comes back makes both again. */
static void a_restart_keeps_the_votes_of_every_step(void **state)
{
    static const struct fixed_region second = {0, 1, 1};
    double x[2] = {2, 8}, kept = 8;

    (void)state;
    open_net(2, 3, &triangle, 1);
    net.whole.task.tracks = true;
    for (uint32_t p = 0; p < 2; p++)
        for (uint32_t i = 0; i < 3; i++)
            open_node(p, i, false);
    mix_once(0, x);
    net.tamper = hide_commits;
    for (uint32_t p = 0; p < 2; p++)
        for (uint32_t i = 0; i < 3; i++) {
            blend_values(net.nodes[p][i].blend, 0, &second, &x[p], net.now_ms);
            drain(p, i);
        }
    while (net.nodes[1][1].prepares[1] == 0)
        turn();
    size_t before[2];
    memcpy(before, net.nodes[1][1].prepares, sizeof before);
    open_node(1, 1, true);
    blend_values(net.nodes[1][1].blend, 0, &(struct fixed_region){0, 1, 0},
                 &kept, net.now_ms);
    drain(1, 1);
    net.tamper = NULL; /* its fellows tell it the first decision */
    struct mix *mix = blend_mix(net.nodes[1][1].blend);
    while (!mix_ready(mix))
        turn();
    blend_values(net.nodes[1][1].blend, 0, &second, &x[1], net.now_ms);
    drain(1, 1);
    finish();
    assert_memory_equal(net.nodes[1][1].prepares, before, sizeof before);
    close_net();
}

/* Pod 0's vector is no number. */
static bool no_number(struct net *n, struct letter *l)
{
    const double infinite = (double)INFINITY;
    struct mixwire w;
    uint64_t word;

    if (l->from_pod != 0 || l->pod != 1 || l->body_size != 8 ||
        mixwire_parse(&w, l->bytes, l->head_size) != 0)
        return true;
    memcpy(&word, &infinite, sizeof word);
    mixwire_hash(w.hash, &word, 1);
    sign_again(n, l, &w);
    memcpy(l->bytes + l->head_size, &word, sizeof word);
    return true;
}

static void what_is_no_number_is_not_mixed(void **state)
{
    double x[2] = {0, 8};

    (void)state;
    open_net(2, 3, &triangle, 1);
    net.tamper = no_number;
    mix_once(0, x);
    assert_true(x[1] == 8);
    close_net();
}

static void weights_that_are_missing_stay(void **state)
{
    static const uint32_t pairs[][2] = {{0, 1}, {1, 2}};
    static const struct schedule_spec path = {
        .graph = SCHEDULE_EDGES, .edges = pairs, .edge_count = 2};
    double x[3] = {0, 3, 9};

    (void)state;
    open_net(3, 1, &path, 1);
    mix_once(0, x);
    assert_true(fabs(x[0] - 1) < 1e-12 && fabs(x[1] - 4) < 1e-12 &&
                fabs(x[2] - 7) < 1e-12);
    net.cut = 1 << 2;
    mix_once(1, x);
    assert_true(fabs(x[1] - (4 * 2.0 / 3 + 1.0 / 3)) < 1e-12 &&
                fabs(x[2] - 7) < 1e-12);
    close_net();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_cut_off_goes_on_alone_and_comes_back),
        cmocka_unit_test(a_neighbour_speaks_for_itself_only),
        cmocka_unit_test(two_versions_leave_a_pod_of_one_mind),
        cmocka_unit_test(a_lone_liar_is_not_believed),
        cmocka_unit_test(a_lone_liar_ahead_is_not_believed),
        cmocka_unit_test(forged_offers_are_dropped),
        cmocka_unit_test(replayed_offers_are_not_mixed_again),
        cmocka_unit_test(a_restart_does_not_vote_twice),
        cmocka_unit_test(who_is_alone_in_a_pod_keeps_no_vote),
        cmocka_unit_test(a_restart_keeps_the_votes_of_every_step),
        cmocka_unit_test(only_the_proposer_is_heard),
        cmocka_unit_test(a_proposal_in_another_name_is_refused),
        cmocka_unit_test(a_lone_liar_moves_nobody_to_a_late_ballot),
        cmocka_unit_test(a_made_up_decision_is_refused),
        cmocka_unit_test(nobody_votes_for_what_is_not_offered),
        cmocka_unit_test(a_locked_member_votes_for_nothing_else),
        cmocka_unit_test(exact_pods_leave_nobody_out),
        cmocka_unit_test(what_is_no_number_is_not_mixed),
        cmocka_unit_test(weights_that_are_missing_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
