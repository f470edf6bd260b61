/* libFuzzer: damaged records. On disk they are sealed, so only an error of ours
 * can damage them; all the same a member is either refused with a reason or
 * works. The input chooses a moment in the life of member 0 of an active pod of
 * five, then edits what it had saved until then. The task's state inside is
 * left as it is: to the engine it is one opaque value. */

#include <stdbool.h>

#include "fuzz/file.h"
#include "node/member.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

enum {
    MEMBERS = 5,
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
    uint32_t from, to;
    uint8_t *head; /* [head_size + body_size] */
    size_t head_size, body_size;
};

static const char text[] =
    "version: 1\nstudy: tiny\ntrust: active\non_loss: continue\nsites:\n"
    "  - {name: one}\n  - {name: two}\n  - {name: six}\n"
    "  - {name: ten}\n  - {name: lot}\n"
    "task: {kind: linear, target: y, features: [a]}\n";
static struct study *study;
static struct dataset *rows;
static size_t state_size; /* of the task */
static struct identity identities[MEMBERS];
static struct member *members[MEMBERS];
static uint64_t wakes[MEMBERS], now_ms;
static struct letter letters[LETTERS_MAX];
static size_t letter_first, letter_count;
static struct save saves[SAVES_MAX]; /* of member 0, in order */
static size_t save_count;
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

static struct member_config config_of(uint32_t i)
{
    return (struct member_config){.study = study,
                                  .dataset = rows,
                                  .self = i,
                                  .identity = &identities[i],
                                  .seed = {(uint8_t)(i + 9)},
                                  .verify = trust};
}

static void measure(void)
{
    const struct task_ops *ops = task_find(&study->task, NULL);
    struct task *task = NULL;

    file_must(ops != NULL && ops->open(&task, &study->task, rows, NULL) == 0,
              "a task");
    state_size = ops->state_size(task);
    ops->close(task);
}

static void make_study(void)
{
    static struct file study_file, rows_file;
    static char table[2000] = "a,y\n";
    const struct dataset_filter all = {.column = NULL};

    for (int i = 0; i < 40; i++)
        snprintf(table + strlen(table), 20, "%d,%d\n", i % 7, i % 5);
    file_must(study_read(&study, file_fill(&study_file, text, sizeof text - 1),
                         NULL) == 0 &&
                  dataset_read(&rows,
                               file_fill(&rows_file, table, strlen(table)),
                               &all, &study->task, NULL) == 0,
              "a study and rows");
    measure();
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint8_t seed[PRG_SEED_BYTES] = {(uint8_t)(i + 1)};
        struct prg prg;
        prg_seed(&prg, seed);
        identity_generate(&identities[i], &prg);
        study->sites[i].key = identities[i].open;
        study->sites[i].has_key = true;
    }
}

static void keep(const struct gossip_effect *e)
{
    struct save *save = &saves[save_count];
    struct gossip_view view;

    if (save_count == SAVES_MAX)
        return;
    save_count++;
    *save = (struct save){e->save.slot,
                          copy(e->save.bytes, e->save.size, e->save.size),
                          e->save.size, SIZE_MAX};
    member_view(members[0], &view);
    for (size_t i = 0; i + state_size <= save->size; i++)
        if (memcmp(save->bytes + i, view.state, state_size) == 0)
            save->state_at = i;
}

static void post(uint32_t from, const struct gossip_effect *e)
{
    struct letter *l = &letters[letter_count++];

    file_must(letter_count < LETTERS_MAX, "few letters");
    *l = (struct letter){from, e->send.to, NULL, e->send.head_size,
                         e->send.body_size};
    l->head = copy(e->send.head, l->head_size, l->head_size + l->body_size);
    if (l->body_size > 0)
        memcpy(l->head + l->head_size, e->send.body, l->body_size);
}

static void feed(uint32_t i, struct gossip_event *event)
{
    const struct gossip_effect *effects;
    struct gossip_event done;
    size_t count;

    event->now_ms = now_ms;
    member_step(members[i], event, &effects, &count);
    for (size_t k = 0; k < count; k++) {
        const struct gossip_effect *e = &effects[k];
        if (e->kind == GOSSIP_SAVE && i == 0 && !replays)
            keep(e);
        else if (e->kind == GOSSIP_SEND)
            post(i, e);
        else if (e->kind == GOSSIP_WAKE)
            wakes[i] = e->wake.at_ms;
    }
    while (member_has_job(members[i])) {
        member_work(members[i], &done);
        feed(i, &done);
    }
}

static void deliver(struct letter *l)
{
    struct gossip_event event = {.kind = GOSSIP_RECEIVED};

    event.received.from = l->from;
    event.received.head = l->head;
    event.received.head_size = l->head_size;
    event.received.body = l->head + l->head_size;
    event.received.body_size = l->body_size;
    feed(l->to, &event);
    free(l->head);
}

static bool over(void)
{
    struct gossip_view view;
    bool all = true;

    for (uint32_t i = 0; i < MEMBERS; i++) {
        member_view(members[i], &view);
        all = all && view.finished;
    }
    return all;
}

/* The whole study; letters come in order and at once. */
static void play(void)
{
    struct gossip_event timer = {.kind = GOSSIP_TIMER};

    for (uint32_t i = 0; i < MEMBERS; i++)
        feed(i, &timer);
    while (!over()) {
        uint32_t next = 0;
        if (letter_first < letter_count) {
            deliver(&letters[letter_first++]);
            continue;
        }
        for (uint32_t i = 1; i < MEMBERS; i++)
            next = wakes[i] < wakes[next] ? i : next;
        file_must(wakes[next] < 600000, "the study ends");
        now_ms = wakes[next];
        wakes[next] = UINT64_MAX;
        feed(next, &timer);
    }
    for (; letter_first < letter_count; letter_first++)
        free(letters[letter_first].head);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    make_study();
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct member_config config = config_of(i);
        file_must(member_new(&members[i], &config, NULL, 0, NULL) == 0,
                  "a member");
    }
    play();
    replays = true;
    for (uint32_t i = 0; i < MEMBERS; i++)
        member_free(members[i]);
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

    if (at < save->state_at + state_size && save->state_at < end &&
        save->state_at != SIZE_MAX)
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

    members[0] = m;
    now_ms = 0;
    wakes[0] = 0;
    for (uint32_t step = 0; step < STEPS && wakes[0] != UINT64_MAX; step++) {
        struct gossip_event event = {.kind = GOSSIP_TIMER};
        if (step == 1) {
            event.kind = GOSSIP_LINK;
            event.link.member = 1;
            event.link.up = true;
        }
        if (now_ms < wakes[0])
            now_ms = wakes[0];
        feed(0, &event);
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
    struct member_config config = config_of(0);
    struct member *m = NULL;
    struct error error = {""};
    size_t count = 0;

    letter_first = letter_count = 0;
    for (size_t k = 0; size > 0 && k < data[0] % (save_count + 1); k++)
        now[saves[k].slot] = saves[k];
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
