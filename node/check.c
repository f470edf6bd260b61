#include "node/check.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/gate.h"

/* Lines for `--check`. */
struct page {
    char *text; /* [size] */
    size_t size, used;
};

static void say(struct page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct page *page, const char *format, ...)
{
    va_list arguments;

    if (page->used + 1 >= page->size)
        return;
    va_start(arguments, format);
    int more = vsnprintf(page->text + page->used, page->size - page->used,
                         format, arguments);
    va_end(arguments);
    for (char *c = page->text + page->used; *c != '\0'; c++)
        if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f)
            *c = '?'; /* a column's name is not to move the cursor */
    if (more > 0)
        page->used += (size_t)more;
}

static void say_source(struct page *page, const struct study_site *site,
                       const struct dataset *d)
{
    if (site->rows_column != NULL && !d->filtered)
        say(page,
            "data      %s has no column '%s': all its rows are taken as this "
            "site's own\n",
            d->path, site->rows_column);
}

static void say_rows(struct page *page, const struct study *study,
                     const struct dataset *d)
{
    size_t train = 0, ones = 0, missing = 0;

    for (size_t i = 0; i < d->row_count; i++) {
        train += d->test[i] == 0;
        ones += d->test[i] == 0 && d->y[i] == 1.0;
    }
    for (size_t i = 0; i < d->row_count * d->column_count; i++)
        missing += isnan(d->x[i]) ? 1 : 0;
    say(page, "rows      %zu: %zu train, %zu test; %zu dropped\n", d->row_count,
        train, d->row_count - train, d->dropped);
    say(page, "features  %zu:", d->column_count);
    for (size_t i = 0; i < d->column_count; i++)
        say(page, " %s", d->names[i]);
    say(page, "\nmissing   %zu values among them\n", missing);
    if (strcmp(study->task.kind, "logistic") == 0)
        say(page, "classes   %s = 1: %zu, %s = 0: %zu of the training rows%s\n",
            study->task.target, ones, study->task.target, train - ones,
            ones == 0 || ones == train ? "; one class only: takes part all the "
                                         "same"
                                       : "");
}

static void say_rules(struct page *page, const struct study *s)
{
    const char *note = study_note(s);

    if (s->unmasked) {
        say(page, "sums      none: each site is alone in its pod\n");
        say(page, "WARNING   %s\n", note);
        return;
    }
    say(page,
        "sums      open with %u of %u sites; %u may %s; each "
        "sum covers %s%u sites\n",
        s->threshold, s->site_count, s->colluders,
        s->active ? "break the rules" : "pool what they see",
        s->on_loss == GOSSIP_CONTINUE ? "at least " : "all ",
        s->on_loss == GOSSIP_CONTINUE ? s->threshold : s->site_count);
    say(page, "losses    %u after their vector was sent; before that: %s\n",
        s->site_count - s->threshold,
        s->on_loss == GOSSIP_STOP   ? "the study stops"
        : s->on_loss == GOSSIP_WAIT ? "the others wait for them"
                                    : "the others go on without them");
    if (note != NULL)
        say(page, "note      %s\n", note);
    say(page, "privacy   no row leaves this site; only sums over the sites are "
              "ever opened; no noise is added\n");
}

static void say_pods(struct page *page, const struct study *s)
{
    if (s->whole != NULL)
        say(page, "pods      this is pod %u of %u; what its sites %s is %s\n",
            s->pod, s->whole->pod_count,
            s->exact ? "sum" : "make of their sums",
            s->exact ? "added up with all other pods' sums"
                     : "averaged with what neighbour pods have");
}

/* A try of the task, without an engine. */
struct trial {
    const struct member_config *config;
    const struct task_ops *ops;
    struct task *task;
    struct prg prg;
    size_t state_size, length_max;
    uint8_t *state, *next, *memory;
    double *x; /* [length_max] */
};

static void wipe_free(void *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

static void trial_close(struct trial *t)
{
    if (t->task != NULL)
        t->ops->close(t->task);
    free(t->state);
    free(t->next);
    free(t->memory);
    wipe_free(t->x, t->length_max * sizeof *t->x);
}

static int trial_open(struct trial *t, struct error *error)
{
    const struct study *study = t->config->study;
    struct error why = {""};

    t->ops = task_find(&study->task, error);
    if (t->ops == NULL)
        return -EINVAL;
    int code = t->ops->open(&t->task, &study->task, t->config->dataset, &why);
    if (code != 0) {
        t->task = NULL;
        return error_set(error, code, "%s: %s", study->path, why.text);
    }
    t->state_size = t->ops->state_size(t->task);
    t->length_max = t->ops->length_max(t->task);
    t->state = calloc(1, t->state_size + 1);
    t->next = calloc(1, t->state_size + 1);
    t->memory = calloc(1, t->ops->memory_size(t->task) + 1);
    t->x = calloc(t->length_max + 1, sizeof *t->x);
    prg_seed(&t->prg, t->config->seed);
    if (t->state == NULL || t->next == NULL || t->memory == NULL ||
        t->x == NULL)
        return error_set(error, -ENOMEM, "out of memory for the vectors");
    return 0;
}

static int try_round(struct trial *t, uint64_t round,
                     const struct fixed_shape *shape, struct error *error)
{
    struct gate_request request = {
        .study = t->config->study,
        .dataset = t->config->dataset,
        .policy = t->config->policy,
        .self = t->config->self,
        .round = round,
        .phase = t->ops->phase(t->task, t->state),
        .shape = *shape,
        .values = t->x,
        .length = shape->length,
    };
    struct task_sum sum = {.values = t->x,
                           .survivors = UINT64_C(1) << t->config->self,
                           .members = 1};

    assert(shape->length <= t->length_max);
    int code =
        t->ops->contribute(t->task, t->x, t->memory, t->state, &t->prg, error);
    if (code != 0)
        return code;
    switch (gate_ask(&request, error)) {
    case GOSSIP_DECLINE_NONE:
        break;
    case GOSSIP_DECLINE_RANGE:
        return -ERANGE;
    default:
        return -EINVAL;
    }
    t->ops->absorb(t->task, t->next, t->state, &sum);
    task_settle(t->ops, t->task, t->next);
    memcpy(t->state, t->next, t->state_size);
    return 0;
}

static void say_vector(struct page *page, const char *phase,
                       const struct fixed_shape *shape, bool unmasked)
{
    say(page, "leaves    %s: %zu numbers a round", phase, shape->length);
    if (shape->lane_bits == 16 || shape->lane_bits == 32)
        say(page, " in lanes of %u bits, cut to +-%g", shape->lane_bits,
            shape->bound);
    say(page, ", %s\n", unmasked ? "NOT MASKED" : "masked");
}

/* A fit that these rows alone drive out of range is no fault of theirs: steps
 * and penalties are meant for all sites' rows. */
static int say_vectors(struct page *page, struct trial *t, struct error *error)
{
    const char *last = "", *method = t->config->study->task.method;
    bool alone = false;

    t->ops->start(t->task, t->state);
    for (uint64_t round = 0; !alone && round < t->config->study->rounds_max;
         round++) {
        struct fixed_shape shape = t->ops->shape(t->task, t->state);
        const char *phase = t->ops->phase(t->task, t->state);
        if (shape.length == 0)
            break;
        int code = try_round(t, round, &shape, error);
        alone = code == -ERANGE && strcmp(phase, method) == 0;
        if (code != 0 && !alone)
            return code;
        if (strcmp(phase, last) != 0)
            say_vector(page, phase, &shape, t->config->study->unmasked);
        last = phase;
    }
    say(page,
        "          tried with these rows alone%s; with all sites other phases "
        "may follow, none longer than %zu numbers\n",
        alone ? ", whose fit runs away, which says nothing of all sites'" : "",
        t->length_max);
    return 0;
}

int check_write(char *text, size_t size, const struct member_config *config,
                struct error *error)
{
    const struct study *study = config->study;
    struct page page = {.text = text, .size = size};
    struct trial trial = {.config = config};
    int code = trial_open(&trial, error);

    if (code == 0) {
        say(&page, "study     %s: %s by %s\n", study->name, study->task.kind,
            study->task.method);
        say(&page, "site      %s, one of %u\n", study->sites[config->self].name,
            study->site_count);
        say_pods(&page, study);
        say_source(&page, &study->sites[config->self], config->dataset);
        say_rows(&page, study, config->dataset);
        code = say_vectors(&page, &trial, error);
        say_rules(&page, study);
    }
    trial_close(&trial);
    return code;
}
