/* e2e_tapes OUT: reads OUT/study.yaml and every OUT/SITE/tape.txt
 * (node/tape.h), all lives of all nodes in the order of time, and holds them to
 * what must never happen: a member that signs two different messages where one
 * is allowed, breaks a rule of AGREE, releases both kinds of shares, or uses an
 * ephemeral key twice; and, between pods, to those of sim/podcheck.h. Prints
 * what was sent, by type. Exit status 1: a violation, on standard error. */

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/mixwire.h"
#include "node/pods.h"
#include "sim/check.h"
#include "sim/podcheck.h"
#include "sim/stage.h"

enum { LINE_SIZE = 2 * GOSSIP_HEAD_MAX + 256 };

struct reader {
    FILE *file; /* NULL: at its end */
    char path[STAGE_PATH_SIZE];
    uint64_t lives, ns, body_size;
    size_t head_size;
    uint8_t head[GOSSIP_HEAD_MAX];
    char line[LINE_SIZE];
};

struct secret { /* a public key or commitment that must be fresh */
    uint8_t bytes[GOSSIP_HASH_BYTES];
    uint64_t round, attempt;
    uint32_t sender;
};

struct pod { /* the whole study, where there are none */
    struct study view;
    struct study_site sites[GOSSIP_MEMBERS_MAX];
    struct check *check;
    struct podcheck *podcheck; /* NULL: there are none */
};

static struct tapes {
    struct study *study;
    struct pod pods[GOSSIP_MEMBERS_MAX]; /* [pod_count] */
    uint32_t pod_count;
    uint64_t posts, post_bytes;
    struct reader readers[GOSSIP_MEMBERS_MAX];
    struct secret *secrets; /* [secret_count] */
    size_t secret_count, secret_capacity;
    uint64_t count[WIRE_TYPES], bytes[WIRE_TYPES];
    uint64_t first_ns, last_ns;
} t;

static void quit(const char *path, const char *what)
{
    fprintf(stderr, "e2e_tapes: %s: %s\n", path, what);
    exit(1);
}

/* False: it is cut off. */
static bool parse(struct reader *r)
{
    size_t length = strcspn(r->line, "\n");
    int at = 0;

    if (r->line[length] != '\n' ||
        sscanf(r->line, "%" SCNu64 " %*u %" SCNu64 " %n", &r->ns, &r->body_size,
               &at) != 2 ||
        at == 0)
        return false;
    return sodium_hex2bin(r->head, sizeof r->head, r->line + at,
                          length - (size_t)at, NULL, &r->head_size,
                          NULL) == 0 &&
           2 * r->head_size == length - (size_t)at;
}

/* The next message; only before a new life or the end may a line be cut. */
static void advance(struct reader *r)
{
    bool cut = false;

    while (fgets(r->line, sizeof r->line, r->file) != NULL) {
        if (strncmp(r->line, "life ", 5) == 0) {
            r->lives++;
            cut = false;
        } else if (r->line[0] != '\n') {
            if (cut)
                quit(r->path, "a line in the midst of a life is cut off");
            if (parse(r))
                return;
            cut = true;
        }
    }
    fclose(r->file);
    r->file = NULL;
}

static struct reader *earliest(void)
{
    struct reader *first = NULL;

    for (uint32_t i = 0; i < t.study->site_count; i++) {
        struct reader *r = &t.readers[i];
        if (r->file != NULL && (first == NULL || r->ns < first->ns))
            first = r;
    }
    return first;
}

static void remember(const struct wire_message *m, const uint8_t *bytes)
{
    struct secret *secret;

    if (t.secret_count == t.secret_capacity) {
        t.secret_capacity = 2 * t.secret_capacity + 1024;
        t.secrets = realloc(t.secrets, t.secret_capacity * sizeof *t.secrets);
        if (t.secrets == NULL)
            abort();
    }
    secret = &t.secrets[t.secret_count++];
    *secret = (struct secret){
        .round = m->round, .attempt = m->attempt, .sender = m->sender};
    memcpy(secret->bytes, bytes, sizeof secret->bytes);
}

static void feed_post(struct pod *pod, const struct reader *r, uint32_t from)
{
    t.posts++;
    t.post_bytes += r->head_size + r->body_size;
    podcheck_posted(pod->podcheck, from, r->head, r->head_size, NULL, 0);
}

static void feed(const struct reader *r, uint32_t site)
{
    static struct wire_message m;
    uint32_t p = 0, from = site;

    if (t.study->pod_count > 0)
        pods_find(t.study, site, &p, &from);
    struct pod *pod = &t.pods[p];
    if (pod->podcheck != NULL && mixwire_claims(r->head, r->head_size)) {
        feed_post(pod, r, from);
        return;
    }
    if (wire_parse(&m, r->head, r->head_size, pod->view.site_count) != 0)
        quit(r->path, "a message that nobody could read");
    t.count[m.type]++;
    t.bytes[m.type] += r->head_size + r->body_size;
    t.first_ns = t.first_ns == 0 ? r->ns : t.first_ns;
    t.last_ns = r->ns;
    if (m.type == WIRE_KEYS) {
        remember(&m, m.keys.epk);
        remember(&m, m.keys.mpk);
        remember(&m, m.keys.commit);
    }
    /* Nobody told the vectors: results are compared. */
    if (m.type != WIRE_SUM && m.type != WIRE_CHECK)
        check_sent(pod->check, from, &m, NULL, 0);
}

static int compare(const void *left, const void *right)
{
    const struct secret *a = left, *b = right;

    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* Returns how many were drawn; the same again is a message said again. */
static uint64_t check_fresh(void)
{
    uint64_t drawn = 0;

    if (t.secret_count > 0)
        qsort(t.secrets, t.secret_count, sizeof *t.secrets, compare);
    for (size_t i = 0; i < t.secret_count; i++) {
        const struct secret *a = &t.secrets[i], *b = a - 1;
        if (i == 0 || compare(a, b) != 0) {
            drawn++;
        } else if (a->sender != b->sender || a->round != b->round ||
                   a->attempt != b->attempt) {
            fprintf(stderr,
                    "members %" PRIu32 " and %" PRIu32
                    " used one key in round %" PRIu64 ", attempt %" PRIu64
                    " and in round %" PRIu64 ", attempt %" PRIu64 "\n",
                    b->sender, a->sender, b->round, b->attempt, a->round,
                    a->attempt);
            exit(1);
        }
    }
    return drawn;
}

static void open_pod(uint32_t p)
{
    struct pod *pod = &t.pods[p];

    if (t.study->pod_count == 0)
        pod->view = *t.study;
    else
        pods_view(&pod->view, pod->sites, t.study, p);
    pod->check = check_new(pod->view.site_count, pod->view.threshold);
    if (t.study->pod_count > 0)
        pod->podcheck = podcheck_new(&pod->view, 0);
    if (pod->check == NULL || (t.study->pod_count > 0 && pod->podcheck == NULL))
        abort();
}

static void open_all(const char *out)
{
    struct error error;
    char path[STAGE_PATH_SIZE];

    stage_path(path, out, NULL, "study.yaml");
    if (study_read(&t.study, path, &error) != 0)
        quit("study", error.text);
    t.pod_count = t.study->pod_count == 0 ? 1 : t.study->pod_count;
    if (t.study->site_count > GOSSIP_MEMBERS_MAX)
        quit("study", "too many sites");
    for (uint32_t p = 0; p < t.pod_count; p++)
        open_pod(p);
    for (uint32_t i = 0; i < t.study->site_count; i++) {
        struct reader *r = &t.readers[i];
        stage_path(r->path, out, t.study->sites[i].name, "tape.txt");
        r->file = fopen(r->path, "rb");
        if (r->file == NULL)
            quit(r->path, "no such file");
        advance(r);
    }
}

static void tell(uint64_t keys)
{
    uint64_t messages = 0, bytes = 0, lives = 0;

    for (uint32_t i = 0; i < t.study->site_count; i++)
        lives += t.readers[i].lives;
    for (int type = 0; type < WIRE_TYPES; type++) {
        messages += t.count[type];
        bytes += t.bytes[type];
        if (t.count[type] > 0)
            printf("  %-8s %8" PRIu64 " messages %10" PRIu64 " bytes\n",
                   wire_name((enum wire_type)type), t.count[type],
                   t.bytes[type]);
    }
    if (t.posts > 0)
        printf("  of pods  %8" PRIu64 " messages %10" PRIu64 " bytes\n",
               t.posts, t.post_bytes);
    printf("tapes: %" PRIu64 " messages, %" PRIu64 " bytes, %.1f s, %" PRIu64
           " lives, %" PRIu64 " fresh keys: nothing signed twice, nothing "
           "reused\n",
           messages, bytes, (double)(t.last_ns - t.first_ns) / 1e9, lives,
           keys);
}

/* Quits at a violation. */
static void judge(const char *out)
{
    struct podcheck *podchecks[GOSSIP_MEMBERS_MAX];

    for (uint32_t p = 0; p < t.pod_count; p++)
        podchecks[p] = t.pods[p].podcheck;
    if (t.study->pod_count > 0)
        podcheck_between(podchecks, t.pod_count);
    for (uint32_t p = 0; p < t.pod_count; p++) {
        if (check_violation(t.pods[p].check)[0] != '\0')
            quit(out, check_violation(t.pods[p].check));
        if (podchecks[p] != NULL && podcheck_violation(podchecks[p])[0] != '\0')
            quit(out, podcheck_violation(podchecks[p]));
        if (podchecks[p] != NULL && podcheck_matched(podchecks[p]) == 0)
            quit(out, "a pod mixed nothing");
        check_free(t.pods[p].check);
        podcheck_free(podchecks[p]);
    }
}

int main(int argc, char **argv)
{
    struct reader *r;
    uint64_t keys;

    if (argc != 2 || sodium_init() < 0) {
        fputs("usage: e2e_tapes OUT\n", stderr);
        return 2;
    }
    open_all(argv[1]);
    while ((r = earliest()) != NULL) {
        feed(r, (uint32_t)(r - t.readers));
        advance(r);
    }
    judge(argv[1]);
    keys = check_fresh();
    tell(keys);
    study_free(t.study);
    free(t.secrets);
    return 0;
}
