#include "node/study.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/wire.h"
#include "node/pods.h"
#include "node/schema.h"
#include "node/training.h"

int study_read(struct study **study, const char *path, struct error *error)
{
    struct study *s = calloc(1, sizeof *s);
    struct reader *reader = NULL;
    int code = -ENOMEM;

    *study = NULL;
    if (s == NULL || (s->path = strdup(path)) == NULL) {
        error_set(error, code, "%s: out of memory", path);
        goto fail;
    }
    if ((code = reader_open(&reader, path, error)) != 0)
        goto fail;
    if ((code = schema_read(s, reader, error)) != 0)
        goto fail;
    reader_close(reader);
    *study = s;
    return 0;
fail:
    reader_close(reader);
    study_free(s);
    return code;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts != NULL && i < count; i++)
        free(texts[i]);
    free(texts);
}

static void free_task(struct task_spec *task)
{
    for (size_t i = 0; i < task->categorical_count; i++) {
        free(task->categorical[i].column);
        free_texts(task->categorical[i].levels,
                   task->categorical[i].level_count);
    }
    free(task->categorical);
    free_texts(task->features, task->feature_count);
    free(task->kind);
    free(task->method);
    free(task->target);
    free(task->split_column);
    free(task->split_train);
    free(task->split_test);
}

void study_free(struct study *study)
{
    if (study == NULL)
        return;
    for (uint32_t i = 0; i < study->site_count; i++) {
        free(study->sites[i].name);
        free(study->sites[i].data);
        free(study->sites[i].rows_column);
        free(study->sites[i].rows_equals);
        free(study->sites[i].address);
    }
    free(study->sites);
    pods_free(study);
    free_task(&study->task);
    free(study->path);
    free(study);
}

static bool same(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static bool is_named_elsewhere(const struct study *study, const char *column)
{
    const struct task_spec *task = &study->task;
    bool named = same(task->target, column) || same(task->split_column, column);

    for (size_t i = 0; i < task->categorical_count; i++)
        named = named || same(task->categorical[i].column, column);
    for (uint32_t i = 0; i < study->site_count; i++)
        named = named || same(study->sites[i].rows_column, column);
    return named;
}

int study_resolve(struct study *study, const char *data, struct error *error)
{
    char **names = NULL;
    size_t count = 0, kept = 0;

    if (study->features_given || study->task.feature_count > 0)
        return 0;
    int code = dataset_header(&names, &count, data, error);
    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++) {
        if (is_named_elsewhere(study, names[i]))
            free(names[i]);
        else
            names[kept++] = names[i];
    }
    if (kept == 0 && study->task.categorical_count == 0) {
        free_texts(names, kept);
        return error_set(error, -EINVAL,
                         "%s:1: found no column beside those that %s names, "
                         "expected features; add columns",
                         data, study->path);
    }
    study->task.features = names;
    study->task.feature_count = kept;
    return 0;
}

int study_site(const struct study *study, const char *name)
{
    for (uint32_t i = 0; i < study->site_count; i++)
        if (strcmp(study->sites[i].name, name) == 0)
            return (int)i;
    return -1;
}

uint32_t study_colluders(bool active, uint32_t sites)
{
    return active ? (sites + 2) / 3 - 1 : 1;
}

/* Under continue too 2t > g + c: else t members who could go on are fewer than
 * those whose CLOSE a retry needs. */
uint32_t study_threshold(bool active, enum gossip_on_loss on_loss,
                         uint32_t sites, uint32_t colluders)
{
    bool with_liars = active || on_loss == GOSSIP_CONTINUE;
    uint32_t most = (with_liars ? (sites + colluders) / 2 : sites / 2) + 1;
    uint32_t honest = colluders + (active ? 3 : 2);

    return most > honest ? most : honest;
}

/* Where members lie, each slice needs an honest holder among any t of them. */
uint32_t study_copies(bool active, uint32_t sites, uint32_t colluders,
                      uint32_t threshold)
{
    uint32_t copies = 1 + sites - threshold + (active ? colluders : 0);

    return copies < sites ? copies : sites;
}

const char *study_note(const struct study *study)
{
    if (study->unmasked)
        return "masks are OFF: what this site computes from its rows is seen "
               "by its neighbours as it is; they can subtract what it sends "
               "in one round from what it sends in the next";
    if (study->on_loss == GOSSIP_CONTINUE)
        return "on_loss is continue: when a site is lost or comes back, the "
               "difference of the sums before and after may show what that "
               "site contributed; each time this happens it is said";
    if (study->threshold < study->site_count)
        return NULL;
    return "the threshold equals the number of sites: a round in which any "
           "site is lost is tried again when that site is back";
}

const char *study_nearest(const struct study *study, const char *name)
{
    const char **names = calloc(study->site_count + 1, sizeof *names);
    const char *nearest = NULL;

    for (uint32_t i = 0; names != NULL && i < study->site_count; i++)
        names[i] = study->sites[i].name;
    if (names != NULL)
        nearest = reader_nearest(name, names, study->site_count);
    free(names);
    return nearest;
}

/* Text that differs whenever the study does: every value goes in with its
 * length in front, every list with its count. */
struct canon {
    crypto_generichash_state field, charter;
    struct gossip_field *fields;
    size_t count;
    bool in_charter;
};

static void canon_bytes(struct canon *c, const void *bytes, size_t size)
{
    crypto_generichash_update(&c->field, bytes, size);
    if (c->in_charter)
        crypto_generichash_update(&c->charter, bytes, size);
}

static void canon_text(struct canon *c, const char *text)
{
    uint64_t size = text == NULL ? UINT64_MAX : strlen(text);
    uint8_t prefix[8];

    for (size_t i = 0; i < sizeof prefix; i++)
        prefix[i] = (uint8_t)(size >> 8 * i);
    canon_bytes(c, prefix, sizeof prefix);
    if (text != NULL)
        canon_bytes(c, text, size);
}

static void canon_real(struct canon *c, double value)
{
    char text[40];

    snprintf(text, sizeof text, "%.17g", value);
    canon_text(c, text);
}

static void canon_integer(struct canon *c, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    canon_text(c, text);
}

static void canon_texts(struct canon *c, char *const *texts, size_t count)
{
    canon_integer(c, count);
    for (size_t i = 0; i < count; i++)
        canon_text(c, texts[i]);
}

static void canon_begin(struct canon *c, const char *name)
{
    struct gossip_field *field = &c->fields[c->count];

    snprintf(field->name, sizeof field->name, "%s", name);
    crypto_generichash_init(&c->field, NULL, 0, GOSSIP_HASH_BYTES);
    canon_bytes(c, name, strlen(name) + 1);
}

static void canon_end(struct canon *c)
{
    uint8_t hash[GOSSIP_HASH_BYTES];

    crypto_generichash_final(&c->field, hash, sizeof hash);
    memcpy(c->fields[c->count].hash, hash, sizeof c->fields[c->count].hash);
    c->count++;
}

static void field_text(struct canon *c, const char *name, const char *text)
{
    canon_begin(c, name);
    canon_text(c, text);
    canon_end(c);
}

static void field_integer(struct canon *c, const char *name, uint64_t value)
{
    canon_begin(c, name);
    canon_integer(c, value);
    canon_end(c);
}

static void field_real(struct canon *c, const char *name, double value)
{
    canon_begin(c, name);
    canon_real(c, value);
    canon_end(c);
}

static void canon_sites(struct canon *c, const struct study *study)
{
    canon_begin(c, "sites");
    canon_integer(c, study->site_count);
    for (uint32_t i = 0; i < study->site_count; i++)
        canon_text(c, study->sites[i].name);
    canon_end(c);
    canon_begin(c, "keys");
    for (uint32_t i = 0; i < study->site_count; i++) {
        char text[IDENTITY_TEXT_SIZE];
        const struct study_site *site = &study->sites[i];
        if (site->has_key)
            identity_print(text, &site->key);
        canon_text(c, site->has_key ? text : NULL);
    }
    canon_end(c);
}

static void canon_task(struct canon *c, const struct task_spec *task)
{
    static const char *const missing[] = {"drop", "mean", "fail"};
    static const char *const standardise[] = {"pooled", "none"};

    field_text(c, "task.kind", task->kind);
    field_text(c, "task.method", task->method);
    field_text(c, "task.target", task->target);
    canon_begin(c, "task.features");
    canon_texts(c, task->features, task->feature_count);
    canon_end(c);
    canon_begin(c, "task.categorical");
    canon_integer(c, task->categorical_count);
    for (size_t i = 0; i < task->categorical_count; i++) {
        canon_text(c, task->categorical[i].column);
        canon_texts(c, task->categorical[i].levels,
                    task->categorical[i].level_count);
    }
    canon_end(c);
    canon_begin(c, "task.split");
    canon_text(c, task->split_column);
    canon_text(c, task->split_train);
    canon_text(c, task->split_test);
    canon_end(c);
    field_text(c, "task.missing", missing[task->missing]);
    field_text(c, "task.standardise", standardise[task->standardise]);
    field_real(c, "task.l2", task->l2);
    if (task->step > 0)
        field_real(c, "rounds.step", task->step);
}

/* Last of all fields, and none where there are no pods. */
static void canon_pods(struct canon *c, const struct study *study)
{
    static const char *const graphs[] = {"ring",        "complete", "torus",
                                         "exponential", "base",     "edges"};
    static const char *const weights[] = {"metropolis", "lazy-metropolis"};
    const struct schedule_spec *m = &study->mixing;

    if (study->pod_count == 0)
        return;
    canon_begin(c, "pods.sites");
    canon_integer(c, study->pod_count);
    for (uint32_t p = 0; p < study->pod_count; p++) {
        canon_integer(c, study->pods[p].site_count);
        for (uint32_t i = 0; i < study->pods[p].site_count; i++)
            canon_text(c, study->sites[study->pods[p].sites[i]].name);
        canon_integer(c, study->pods[p].threshold);
    }
    canon_end(c);
    canon_begin(c, "pods.graph");
    canon_text(c, graphs[m->graph]);
    canon_text(c, weights[m->weights]);
    canon_integer(c, m->k);
    canon_integer(c, m->edge_count);
    for (size_t e = 0; e < 2 * m->edge_count; e++)
        canon_integer(c, m->edges[e / 2][e % 2]);
    canon_end(c);
    field_text(c, "pods.mode", study->exact ? "exact" : "gossip");
    field_text(c, "pods.method", study->task.tracks ? "gt-atc" : "dgd-atc");
    field_integer(c, "pods.patience_ms", study->patience_ms);
    field_integer(c, "pods.restart", study->task.restart);
    field_real(c, "pods.rows", study->task.rows);
}

static void canon_training(struct canon *c, const struct task_training *t)
{
    static const char *const schedule[] = {"constant", "exponential", "cosine"};
    static const char *const activation[] = {"relu", "tanh"};
    static const char *const precision[] = {"single", "double"};

    field_integer(c, "task.classes", t->classes);
    canon_begin(c, "task.hidden");
    canon_integer(c, t->hidden_count);
    for (size_t i = 0; i < t->hidden_count; i++)
        canon_integer(c, t->hidden[i]);
    canon_end(c);
    field_text(c, "task.activation", activation[t->activation]);
    field_text(c, "task.precision", precision[t->precision]);
    field_integer(c, "task.init", t->init);
    field_real(c, "task.mu", t->mu);
    field_real(c, "task.server_step", t->server_step);
    field_integer(c, "rounds.local_steps", t->local_steps);
    field_integer(c, "rounds.local_epochs", t->local_epochs);
    field_integer(c, "rounds.batch", t->batch);
    field_real(c, "rounds.momentum", t->momentum);
    field_text(c, "rounds.schedule", schedule[t->schedule]);
    field_real(c, "rounds.decay", t->decay);
    field_integer(c, "rounds.patience", t->patience);
}

size_t study_fields(struct gossip_field fields[GOSSIP_FIELDS_MAX],
                    uint8_t charter[GOSSIP_HASH_BYTES],
                    const struct study *study)
{
    static const char *const on_loss[] = {"wait", "stop", "continue"};
    struct canon c = {.fields = fields};

    if (study->whole != NULL) /* one charter for all pods */
        return study_fields(fields, charter, study->whole);
    memset(fields, 0, GOSSIP_FIELDS_MAX * sizeof *fields);
    crypto_generichash_init(&c.charter, NULL, 0, GOSSIP_HASH_BYTES);
    field_text(&c, "program", STARLING_VERSION);
    c.in_charter = true;
    field_integer(&c, "protocol", WIRE_VERSION);
    field_text(&c, "study", study->name);
    field_text(&c, "trust", study->active ? "active" : "semi-honest");
    field_text(&c, "on_loss", on_loss[study->on_loss]);
    field_integer(&c, "wait_ms", study->wait_ms);
    canon_sites(&c, study);
    canon_task(&c, &study->task);
    if (!training_is_exact(study))
        canon_training(&c, &study->task.training);
    field_integer(&c, "rounds.max", study->rounds_max);
    field_integer(&c, "rounds.deadline_ms", study->deadline_ms);
    field_integer(&c, "rounds.grace_ms", study->grace_ms);
    field_integer(&c, "rounds.linger_ms", study->linger_ms);
    field_real(&c, "rounds.tolerance", study->task.tolerance);
    field_integer(&c, "sum.lanes", study->task.lane_bits);
    field_integer(&c, "sum.value_bits", study->task.value_bits);
    field_real(&c, "sum.clip", study->task.clip);
    field_integer(&c, "sum.fraction_bits", study->task.fraction_bits);
    field_integer(&c, "sum.colluders", study->colluders);
    field_integer(&c, "sum.threshold", study->threshold);
    field_integer(&c, "sum.copies", study->copies);
    field_text(&c, "sum.verify", study->verify ? "yes" : "no");
    if (study->unmasked)
        field_text(&c, "sum.masks", "none");
    canon_pods(&c, study);
    crypto_generichash_final(&c.charter, charter, GOSSIP_HASH_BYTES);
    return c.count;
}

void study_roster(uint8_t roster[GOSSIP_HASH_BYTES], const struct study *study)
{
    struct gossip_field unused[2];
    struct canon c = {.fields = unused, .in_charter = true};

    crypto_generichash_init(&c.charter, NULL, 0, GOSSIP_HASH_BYTES);
    canon_sites(&c, study);
    crypto_generichash_final(&c.charter, roster, GOSSIP_HASH_BYTES);
}
