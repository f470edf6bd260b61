/* libFuzzer: damaged records. On disk they are sealed, so only an error of ours
 * can damage them; all the same a member is either refused with a reason or
 * works. The input chooses a moment in the life of member 0 of an active pod of
 * five, alone or one of two that add up narrow lanes, then edits what it had
 * saved until then. The task's state inside is left as it is: to the engine it
 * is one opaque value. */

#include <stdbool.h>

#include "fuzz/file.h"
#include "node/member.h"
#include "node/pods.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

enum {
    MEMBERS = 5,
    PODS = 2,
    ALONE = 0, /* which study */
    STUDIES = 2,
    SAVES_MAX = 256,
    LETTERS_MAX = 65536,
    EDIT = 6,
    EDITS_MAX = 32,
    ROOM = 256, /* for edits that make a record longer */
    STEPS = 4
};

struct save {
    uint32_t slot;
    uint8_t *bytes; /* [size] */
    size_t size;
    size_t state_at; /* SIZE_MAX: the task's state is not in it */
};

struct letter {
    bool posted; /* about pods */
    uint32_t pod, from, to_pod, to;
    uint8_t *head; /* [head_size + body_size] */
    size_t head_size, body_size;
};

static const char alone_text[] =
    "version: 1\nstudy: tiny\ntrust: active\non_loss: continue\nsites:\n"
    "  - {name: one}\n  - {name: two}\n  - {name: six}\n"
    "  - {name: ten}\n  - {name: lot}\n"
    "task: {kind: linear, target: y, features: [a]}\n";
static const char pods_text[] =
    "version: 1\nstudy: pods\ntrust: active\non_loss: continue\nsites:\n"
    "  - {name: a0}\n  - {name: a1}\n  - {name: a2}\n  - {name: a3}\n"
    "  - {name: a4}\n  - {name: b0}\n  - {name: b1}\n  - {name: b2}\n"
    "  - {name: b3}\n  - {name: b4}\n"
    "pods:\n  sites:\n    - [a0, a1, a2, a3, a4]\n"
    "    - [b0, b1, b2, b3, b4]\n  graph: ring\n  mode: exact\n"
    "task: {kind: logistic, method: fedavg, target: y, features: [a]}\n"
    "rounds: {max: 5, local_epochs: 1, batch: 4, step: 0.1}\n"
    "sum: {lanes: 16, clip: 0.01}\n";
static struct identity identities[PODS][MEMBERS];
static struct member *members[PODS][MEMBERS];
static uint64_t wakes[PODS][MEMBERS], now_ms;
static struct letter letters[LETTERS_MAX];
static size_t letter_first, letter_count;
static struct life {
    struct study *whole;
    struct study views[PODS]; /* of each pod; alone: the first is the whole */
    struct study_site sites[PODS][MEMBERS];
    struct dataset *rows;
    uint32_t pods;
    struct pods_table *table;     /* NULL: alone */
    size_t state_size;            /* of the task */
    struct save saves[SAVES_MAX]; /* of member 0, in order */
    size_t save_count;
} lives[STUDIES], *life;
static bool replays;

static uint8_t *copy(const void *bytes, size_t size, size_t room)
{
    uint8_t *to = malloc(room + 1);

    file_must(to != NULL, "memory");
    if (size > 0)
        memcpy(to, bytes, size);
    return to;
}

static int trust(void *context, const uint8_t *signature, const char *domain,
                 const uint8_t *message, size_t size, const uint8_t *key)
{
    (void)context, (void)signature, (void)domain, (void)message, (void)size;
    (void)key;
    return 0;
}

static struct member_config config_of(uint32_t pod, uint32_t i)
{
    return (struct member_config){
        .study = &life->views[pod],
        .dataset = life->rows,
        .self = i,
        .identity = &identities[pod][i],
        .seed = {(uint8_t)(MEMBERS * pod + i + 9)},
        .verify = trust,
        .pods = life->table == NULL ? NULL : pods_table_of(life->table)};
}

static void measure(void)
{
    const struct task_ops *ops = task_find(&life->whole->task, NULL);
    struct error error = {"a task"};
    struct task *task = NULL;

    file_must(ops != NULL &&
                  ops->open(&task, &life->whole->task, life->rows, &error) == 0,
              error.text);
    life->state_size = ops->state_size(task);
    ops->close(task);
}

static void make_rows(void)
{
    static struct file file;
    char table[2000] = "a,y\n";
    const struct dataset_filter all = {.column = NULL};

    for (int i = 0; i < 40; i++)
        snprintf(table + strlen(table), 20, "%d,%d\n", i % 7, i % 3 % 2);
    file_must(dataset_read(&life->rows, file_fill(&file, table, strlen(table)),
                           &all, &life->whole->task, NULL) == 0,
              "rows");
}

static void make_study(const char *text)
{
    static struct file study_file;
    struct error error = {""};
    int code = study_read(&life->whole,
                          file_fill(&study_file, text, strlen(text)), &error);

    file_must(code == 0, error.text);
    life->pods = life->whole->site_count / MEMBERS;
    for (uint32_t i = 0; i < life->whole->site_count; i++) {
        uint8_t seed[PRG_SEED_BYTES] = {(uint8_t)(i + 1)};
        struct prg prg;
        prg_seed(&prg, seed);
        identity_generate(&identities[i / MEMBERS][i % MEMBERS], &prg);
        life->whole->sites[i].key = identities[i / MEMBERS][i % MEMBERS].open;
        life->whole->sites[i].has_key = true;
    }
    life->views[0] = *life->whole;
    if (life->pods > 1) {
        life->table = pods_table_new(life->whole);
        file_must(life->table != NULL, "memory");
        for (uint32_t p = 0; p < life->pods; p++)
            pods_view(&life->views[p], life->sites[p], life->whole, p);
    }
    make_rows();
    measure();
}

static void keep(const struct gossip_effect *e)
{
    struct save *save = &life->saves[life->save_count];
    struct gossip_view view;

    if (life->save_count == SAVES_MAX)
        return;
    life->save_count++;
    *save = (struct save){e->save.slot,
                          copy(e->save.bytes, e->save.size, e->save.size),
                          e->save.size, SIZE_MAX};
    if (e->save.slot == GOSSIP_SLOT_SUM) /* has none */
        return;
    member_view(members[0][0], &view);
    for (size_t i = 0; i + life->state_size <= save->size; i++)
        if (memcmp(save->bytes + i, view.state, life->state_size) == 0)
            save->state_at = i;
}

static void post(uint32_t pod, uint32_t from, const struct gossip_effect *e)
{
    struct letter *l = &letters[letter_count++];
    const bool posted = e->kind == GOSSIP_POST;
    const uint8_t *head = posted ? e->post.head : e->send.head;
    const uint8_t *body = posted ? e->post.body : e->send.body;

    file_must(letter_count < LETTERS_MAX, "few letters");
    *l = (struct letter){.posted = posted,
                         .pod = pod,
                         .from = from,
                         .to_pod = posted ? e->post.pod : pod,
                         .to = posted ? e->post.to : e->send.to};
    l->head_size = posted ? e->post.head_size : e->send.head_size;
    l->body_size = posted ? e->post.body_size : e->send.body_size;
    l->head = copy(head, l->head_size, l->head_size + l->body_size);
    if (l->body_size > 0)
        memcpy(l->head + l->head_size, body, l->body_size);
}

static void feed(uint32_t pod, uint32_t i, struct gossip_event *event)
{
    const struct gossip_effect *effects;
    struct member *m = members[pod][i];
    struct gossip_event done;
    size_t count;

    event->now_ms = now_ms;
    member_step(m, event, &effects, &count);
    for (size_t k = 0; k < count; k++) {
        const struct gossip_effect *e = &effects[k];
        if (e->kind == GOSSIP_SAVE && pod == 0 && i == 0 && !replays)
            keep(e);
        else if (e->kind == GOSSIP_SEND || e->kind == GOSSIP_POST)
            post(pod, i, e);
        else if (e->kind == GOSSIP_WAKE)
            wakes[pod][i] = e->wake.at_ms;
    }
    while (member_has_job(m)) {
        member_work(m, &done);
        feed(pod, i, &done);
    }
}

static void deliver(struct letter *l)
{
    struct gossip_event event = {.kind = l->posted ? GOSSIP_POSTED
                                                   : GOSSIP_RECEIVED};

    if (l->posted) {
        event.posted.pod = l->pod;
        event.posted.from = l->from;
        event.posted.head = l->head;
        event.posted.head_size = l->head_size;
        event.posted.body = l->head + l->head_size;
        event.posted.body_size = l->body_size;
    } else {
        event.received.from = l->from;
        event.received.head = l->head;
        event.received.head_size = l->head_size;
        event.received.body = l->head + l->head_size;
        event.received.body_size = l->body_size;
    }
    feed(l->to_pod, l->to, &event);
    free(l->head);
}

static bool over(void)
{
    struct gossip_view view;
    bool all = true;

    for (uint32_t i = 0; i < life->pods * MEMBERS; i++) {
        member_view(members[i / MEMBERS][i % MEMBERS], &view);
        all = all && view.finished;
    }
    return all;
}

/* The whole study; letters come in order and at once. */
static void play(void)
{
    struct gossip_event timer = {.kind = GOSSIP_TIMER};

    now_ms = 0;
    letter_first = letter_count = 0;
    for (uint32_t i = 0; i < life->pods * MEMBERS; i++)
        feed(i / MEMBERS, i % MEMBERS, &timer);
    while (!over()) {
        uint64_t *next = &wakes[0][0];
        if (letter_first < letter_count) {
            deliver(&letters[letter_first++]);
            continue;
        }
        for (uint32_t i = 1; i < life->pods * MEMBERS; i++)
            if (wakes[i / MEMBERS][i % MEMBERS] < *next)
                next = &wakes[i / MEMBERS][i % MEMBERS];
        const size_t who = (size_t)(next - &wakes[0][0]);
        file_must(*next < 600000, "the study ends");
        now_ms = *next > now_ms ? *next : now_ms;
        *next = UINT64_MAX;
        feed((uint32_t)who / MEMBERS, (uint32_t)who % MEMBERS, &timer);
    }
    for (; letter_first < letter_count; letter_first++)
        free(letters[letter_first].head);
}

static void live_through(const char *text)
{
    make_study(text);
    for (uint32_t i = 0; i < life->pods * MEMBERS; i++) {
        struct member_config config = config_of(i / MEMBERS, i % MEMBERS);
        file_must(member_new(&members[i / MEMBERS][i % MEMBERS], &config, NULL,
                             0, NULL) == 0,
                  "a member");
    }
    play();
    for (uint32_t i = 0; i < life->pods * MEMBERS; i++)
        member_free(members[i / MEMBERS][i % MEMBERS]);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    bool has_sum = false;

    (void)count;
    (void)arguments;
    for (int k = 0; k < STUDIES; k++) {
        life = &lives[k];
        live_through(k == ALONE ? alone_text : pods_text);
    }
    for (size_t i = 0; i < life->save_count; i++)
        has_sum = has_sum || life->saves[i].slot == GOSSIP_SLOT_SUM;
    file_must(has_sum, "a pod among others keeps its sum");
    replays = true;
    return 0;
}

/* edit: [slot, what, place, place, value, value] */
static void change(struct save *save, const uint8_t edit[EDIT])
{
    size_t value = edit[4] + 256u * edit[5];
    size_t at = (edit[2] + 256u * edit[3]) % (save->size + 1);
    size_t left = save->size - at;
    size_t some = value < left ? value : left;
    size_t end = edit[1] % 8 == 2 ? at + some : at + 256;

    if (save->state_at != SIZE_MAX && at < save->state_at + life->state_size &&
        save->state_at < end)
        return;
    switch (edit[1] % 8) {
    case 0:
        save->size = at;
        break;
    case 1: /* longer by zeros */
        if (value > ROOM)
            break;
        memset(save->bytes + save->size, 0, value);
        save->size += value;
        break;
    case 2: /* without a part */
        memmove(save->bytes + at, save->bytes + at + some, left - some);
        save->size -= some;
        break;
    case 3:
        memset(save->bytes + at, edit[4], left < edit[5] ? left : edit[5]);
        break;
    case 4: /* a number */
        for (size_t i = 0; i < 8 && i < left; i++)
            save->bytes[at + i] = i < 2 ? edit[4 + i] : 0;
        break;
    default:
        if (left > 0)
            save->bytes[at] ^= edit[4];
    }
}

/* Whoever was taken works on: nothing may be asked of it that breaks it. */
static void live(struct member *m)
{
    struct gossip_view view;

    uint64_t *wake = &wakes[0][0];

    members[0][0] = m;
    now_ms = *wake = 0;
    for (uint32_t step = 0; step < STEPS && *wake != UINT64_MAX; step++) {
        struct gossip_event event = {.kind = GOSSIP_TIMER};
        if (step == 1) {
            event.kind = GOSSIP_LINK;
            event.link.member = 1;
            event.link.up = true;
        }
        if (now_ms < *wake)
            now_ms = *wake;
        feed(0, 0, &event);
    }
    while (letter_first < letter_count)
        free(letters[letter_first++].head);
    member_view(m, &view);
    (void)member_phase(m);
    (void)member_loss(m);
    if (view.finished) {
        struct task_report report = {0};
        if (member_report(m, &report, NULL) == 0)
            task_report_free(&report);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct save now[MEMBER_SLOTS] = {{0}};
    struct gossip_record records[MEMBER_SLOTS];
    struct member_config config;
    struct member *m = NULL;
    struct error error = {""};
    size_t count = 0;

    letter_first = letter_count = 0;
    life = &lives[size > 0 ? data[0] % STUDIES : 0];
    config = config_of(0, 0);
    for (size_t k = 0;
         size > 0 && k < data[0] / STUDIES % (life->save_count + 1); k++)
        now[life->saves[k].slot] = life->saves[k];
    for (uint32_t s = 0; s < MEMBER_SLOTS; s++)
        if (now[s].bytes != NULL)
            now[s].bytes =
                copy(now[s].bytes, now[s].size, now[s].size + ROOM * EDITS_MAX);
    for (size_t k = 0; k < EDITS_MAX && 1 + (k + 1) * EDIT <= size; k++) {
        const uint8_t *edit = data + 1 + k * EDIT;
        if (now[edit[0] % MEMBER_SLOTS].bytes != NULL)
            change(&now[edit[0] % MEMBER_SLOTS], edit);
    }
    for (uint32_t s = 0; s < MEMBER_SLOTS; s++)
        if (now[s].bytes != NULL)
            records[count++] =
                (struct gossip_record){s, now[s].bytes, now[s].size};
    if (member_new(&m, &config, records, count, &error) == 0)
        live(m);
    else
        file_must(error.text[0] != '\0', "a refusal says why");
    member_free(m);
    for (uint32_t s = 0; s < MEMBER_SLOTS; s++)
        free(now[s].bytes);
    return 0;
}
