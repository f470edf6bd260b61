#include "node/result.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static const char cohort_changed[] =
    "the cohort changed from sum to sum: whoever subtracts them may learn what "
    "the sites under 'revealed' contributed";
static const char rules_broken[] =
    "the sites under 'accused' broke the protocol's rules; the evidence is in "
    "the stores and audit logs";
static const char no_noise[] =
    "no noise was added to the sums: this result is not differentially "
    "private";

static const char no_masks[] =
    "masks were off: what each site computed from its rows was seen by its "
    "neighbours as it was";

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static void set(json_t *object, const char *key, json_t *value)
{
    int code = json_object_set_new(object, key, value);

    assert(code == 0); /* fails on NULL, that is on a bug or without memory */
}

static void append(json_t *array, json_t *value)
{
    int code = json_array_append_new(array, value);

    assert(code == 0);
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* A name that is not UTF-8 (a column of an old file) must not lose the rest. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value);

    return string == NULL ? json_string("(not UTF-8)") : string;
}

static json_t *coefficients(const struct task_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->coefficient_count; i++) {
        const struct task_coefficient *c = &report->coefficients[i];
        json_t *entry = json_object();
        set(entry, "name", text(c->name));
        set(entry, "estimate", number(c->estimate));
        set(entry, "std_error", number(c->std_error));
        set(entry, "z", number(c->z));
        set(entry, "p", number(c->p));
        if (isfinite(c->low) && isfinite(c->high)) {
            json_t *range = json_array();
            append(range, number(c->low));
            append(range, number(c->high));
            set(entry, "ci95", range);
        } else {
            set(entry, "ci95", json_null());
        }
        append(list, entry);
    }
    return list;
}

static json_t *metric(const struct task_metric *m, bool regression)
{
    json_t *entry = json_object();

    set(entry, "n", integer(m->n));
    if (regression) {
        set(entry, "mse", number(m->mse));
        set(entry, "r2", number(m->r2));
        return entry;
    }
    set(entry, "log_loss", number(m->log_loss));
    set(entry, "auc", number(m->auc));
    set(entry, "accuracy", number(m->accuracy));
    set(entry, "brier", number(m->brier));
    return entry;
}

static json_t *per_site(const struct result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->site_count; i++) {
        const struct result_site *site = &result->sites[i];
        json_t *entry = json_object();
        set(entry, "site", text(site->name));
        set(entry, "n_train", integer(site->n_train));
        set(entry, "n_test", integer(site->n_test));
        set(entry, "bytes_sent", integer(site->bytes_sent));
        set(entry, "local_auc", number(site->local_auc));
        set(entry, "global_auc", number(site->global_auc));
        append(list, entry);
    }
    return list;
}

static json_t *standardisation(const struct task_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->scaling_count; i++) {
        json_t *entry = json_object();
        set(entry, "name", text(report->scaling[i].name));
        set(entry, "mean", number(report->scaling[i].mean));
        set(entry, "sd", number(report->scaling[i].sd));
        append(list, entry);
    }
    return list;
}

static json_t *names(const struct study *study, uint64_t members)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < study->site_count; i++)
        if (members >> i & 1)
            append(list, text(study->sites[i].name));
    return list;
}

static json_t *notes(const struct result *result)
{
    json_t *list = json_array();

    if (result->revealed != 0)
        append(list, text(cohort_changed));
    if (result->accused != 0)
        append(list, text(rules_broken));
    if (result->study->unmasked)
        append(list, text(no_masks));
    for (size_t i = 0; i < result->report->note_count; i++)
        append(list, text(result->report->notes[i]));
    for (size_t i = 0; i < result->note_count; i++)
        append(list, text(result->notes[i]));
    append(list, text(no_noise));
    return list;
}

static void set_outcome(json_t *root, const struct result *result)
{
    const struct task_report *report = result->report;
    bool regression = strcmp(result->study->task.kind, "linear") == 0;
    json_t *metrics = json_object();

    set(root, "n_train", integer(report->n_train));
    set(root, "n_test", integer(report->n_test));
    set(root, "deviance", number(report->deviance));
    set(root, "coefficients", coefficients(report));
    set(metrics, "train", metric(&report->train, regression));
    set(metrics, "test", metric(&report->test, regression));
    set(root, "metrics", metrics);
    set(root, "per_site", per_site(result));
    if (report->scaling != NULL)
        set(root, "standardisation", standardisation(report));
}

static json_t *whole(const struct result *result)
{
    const struct study *study = result->study;
    json_t *root = json_object(), *survivors = json_array();
    char hash[2 * GOSSIP_HASH_BYTES + 1];

    for (size_t i = 0; i < result->round_count; i++)
        append(survivors, integer(count_bits(result->rounds[i].survivors)));
    sodium_bin2hex(hash, sizeof hash, result->state_hash, GOSSIP_HASH_BYTES);
    set(root, "version", integer(1));
    set(root, "study", text(study->name));
    set(root, "task", text(study->task.kind));
    set(root, "method", text(study->task.method));
    set(root, "converged", json_boolean(result->report->converged));
    set(root, "rounds", integer(result->round_count));
    set(root, "members", integer(study->site_count));
    set(root, "survivors", survivors);
    set_outcome(root, result);
    set(root, "sum_exact",
        result->knows_sum_exact ? json_boolean(result->sum_exact)
                                : json_null());
    set(root, "virtual_seconds",
        result->simulated ? number(result->virtual_seconds) : json_null());
    set(root, "wall_seconds", number(result->wall_seconds));
    set(root, "seed", result->simulated ? integer(study->seed) : json_null());
    set(root, "state_hash", text(hash));
    set(root, "revealed", names(study, result->revealed));
    set(root, "accused", names(study, result->accused));
    set(root, "notes", notes(result));
    return root;
}

static int write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

static int fail_file(const char *path, int code, struct error *error)
{
    const char *advice = code == -ENOSPC || code == -EFBIG
                             ? "make room on the disk"
                             : "name a folder that can be written";

    return error_set(error, code, "%s: cannot be written (%s); %s", path,
                     strerror(-code), advice);
}

/* The rename is not on disk before its folder is. */
static int sync_folder(const char *folder)
{
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = file < 0 ? -errno : 0;

    if (file >= 0 && fsync(file) != 0 && errno != EINVAL)
        code = -errno;
    if (file >= 0)
        close(file);
    return code;
}

static int put_file(const char *folder, const char *name, const char *bytes,
                    size_t size, struct error *error)
{
    char path[PATH_SIZE], temporary[PATH_SIZE + 32];
    int code = 0;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return fail_file(folder, -ENAMETOOLONG, error);
    snprintf(temporary, sizeof temporary, "%s.%ld.part", path, (long)getpid());
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return fail_file(path, -errno, error);
    code = write_all(file, bytes, size);
    if (code == 0 && fsync(file) != 0)
        code = -errno;
    if (close(file) != 0 && code == 0)
        code = -errno;
    if (code == 0 && rename(temporary, path) != 0)
        code = -errno;
    if (code == 0)
        code = sync_folder(folder);
    if (code == 0)
        return 0;
    unlink(temporary);
    return fail_file(path, code, error);
}

static void print_awaited(FILE *out, const struct study *study, uint64_t who)
{
    const char *before = "";

    for (uint32_t i = 0; i < study->site_count; i++) {
        if ((who >> i & 1) == 0)
            continue;
        fprintf(out, "%s%s", before, study->sites[i].name);
        before = "+";
    }
}

/* In a column of its own; empty where it is not known. */
static void print_number(FILE *out, double value)
{
    fputc(',', out);
    if (isfinite(value))
        fprintf(out, "%.17g", value);
}

static void print_rounds(FILE *out, const struct result *result)
{
    const bool pods = result->study->whole != NULL;

    fprintf(out,
            "round,virtual_ms,survivors,loss,phase,bytes_sent,awaited,"
            "accuracy,test_loss,test_accuracy%s\n",
            pods ? ",distance,left_out" : "");
    for (size_t i = 0; i < result->round_count; i++) {
        const struct result_round *r = &result->rounds[i];
        fprintf(out, "%" PRIu64 ",%" PRIu64 ",%u,", r->round, r->virtual_ms,
                count_bits(r->survivors));
        if (isfinite(r->loss))
            fprintf(out, "%.17g", r->loss);
        fprintf(out, ",%s,%" PRIu64 ",", r->phase, r->bytes_sent);
        print_awaited(out, result->study, r->awaited);
        print_number(out, r->watch.accuracy);
        print_number(out, r->watch.test_loss);
        print_number(out, r->watch.test_accuracy);
        if (pods) {
            print_number(out, r->distance);
            fprintf(out, ",%" PRIu32, r->left_out);
        }
        fputc('\n', out);
    }
}

static int write_rounds(const struct result *result, const char *folder,
                        struct error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    int code = -ENOMEM;

    if (out == NULL)
        return fail_file(folder, code, error);
    print_rounds(out, result);
    bool ok = ferror(out) == 0;
    if (fclose(out) == 0 && ok)
        code = put_file(folder, "rounds.csv", bytes, size, error);
    else
        fail_file(folder, code, error);
    free(bytes);
    return code;
}

int result_write(const struct result *result, const char *folder,
                 struct error *error)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return fail_file(folder, -errno, error);
    int code = write_rounds(result, folder, error);
    if (code != 0)
        return code;
    json_t *root = whole(result);
    char *bytes =
        json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER |
                             JSON_REAL_PRECISION(17) | JSON_ENSURE_ASCII);
    if (bytes == NULL)
        code = fail_file(folder, -ENOMEM, error);
    else
        code = put_file(folder, "result.json", bytes, strlen(bytes), error);
    free(bytes);
    json_decref(root);
    return code;
}

static double real_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static uint64_t integer_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? (uint64_t)json_integer_value(value) : 0;
}

static void text_of(char *to, size_t size, const json_t *object,
                    const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    snprintf(to, size, "%s", value == NULL ? "" : value);
}

static const json_t *find_site(const json_t *root, const char *site)
{
    const json_t *list = json_object_get(root, "per_site");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(entry, "site"));
        if (name != NULL && (site == NULL || strcmp(name, site) == 0))
            return entry;
    }
    return NULL;
}

static int read_coefficients(struct result_part *part, const json_t *list)
{
    size_t count = json_array_size(list);

    part->coefficients =
        calloc(count == 0 ? 1 : count, sizeof *part->coefficients);
    if (part->coefficients == NULL)
        return -ENOMEM;
    part->coefficient_count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        const json_t *range = json_object_get(entry, "ci95");
        struct task_coefficient *c = &part->coefficients[i];
        text_of(c->name, sizeof c->name, entry, "name");
        c->estimate = real_of(entry, "estimate");
        c->std_error = real_of(entry, "std_error");
        c->z = real_of(entry, "z");
        c->p = real_of(entry, "p");
        c->low = c->high = NAN;
        if (json_array_size(range) == 2) {
            c->low = json_number_value(json_array_get(range, 0));
            c->high = json_number_value(json_array_get(range, 1));
        }
    }
    return 0;
}

int result_read_site(struct result_part *part, const char *path,
                     const char *site, struct error *error)
{
    json_error_t why;
    json_t *root = json_load_file(path, 0, &why);

    *part = (struct result_part){0};
    if (root == NULL)
        return error_set(error, -EINVAL,
                         "%s:%d: %s; expected the result of a finished site",
                         path, why.line < 1 ? 1 : why.line, why.text);
    const json_t *entry = find_site(root, site);
    const json_t *list = json_object_get(root, "coefficients");
    if (entry == NULL || !json_is_array(list)) {
        json_decref(root);
        return error_set(error, -EINVAL,
                         "%s: found no %s, expected the result of a finished "
                         "site",
                         path,
                         entry == NULL ? "per_site entry" : "coefficients");
    }
    text_of(part->site, sizeof part->site, entry, "site");
    part->n_train = integer_of(entry, "n_train");
    part->n_test = integer_of(entry, "n_test");
    part->bytes_sent = integer_of(entry, "bytes_sent");
    part->local_auc = real_of(entry, "local_auc");
    part->global_auc = real_of(entry, "global_auc");
    part->rounds = integer_of(root, "rounds");
    text_of(part->state_hash, sizeof part->state_hash, root, "state_hash");
    int code = read_coefficients(part, list);
    json_decref(root);
    return code == 0 ? 0 : error_set(error, code, "%s: out of memory", path);
}

void result_free_part(struct result_part *part)
{
    free(part->coefficients);
    *part = (struct result_part){0};
}
