#include "sim/podmerge.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/stage.h"

enum { ROW_SIZE = 4096 };
enum {
    ROUND,
    VIRTUAL_MS,
    LOSS = 3,
    BYTES = 5,
    DISTANCE = 10,
    LEFT_OUT,
    COLUMNS
};

struct round {
    uint64_t virtual_ms, bytes;
    double loss, distance;                     /* sums over pods */
    uint32_t losses, distances;                /* how many of them */
    uint32_t left_out;                         /* of the pods */
    uint32_t pod_seen, pod_loss, pod_distance; /* pod + 1 counted last */
};

static bool split(char *field[COLUMNS], char *text)
{
    text[strcspn(text, "\r\n")] = '\0';
    for (int i = 0; i < COLUMNS; i++) {
        if (text == NULL)
            return false;
        field[i] = text;
        text = strchr(text, ',');
        if (text != NULL)
            *text++ = '\0';
    }
    return true;
}

static void take_number(double *sum, uint32_t *count, uint32_t *counted,
                        uint32_t pod, const char *text)
{
    if (*text == '\0' || *counted == pod + 1)
        return;
    *counted = pod + 1;
    *sum += strtod(text, NULL);
    ++*count;
}

/* Bytes are of all sites; what a pod's sites all know, of the first of them
 * that does. */
static void add_rows(struct round *rounds, size_t count, uint32_t pod,
                     FILE *file)
{
    char text[ROW_SIZE], *field[COLUMNS];

    while (fgets(text, sizeof text, file) != NULL) {
        char *end;
        if (!split(field, text))
            continue;
        uint64_t k = strtoull(field[ROUND], &end, 10);
        if (end == field[ROUND] || k >= count)
            continue;
        struct round *r = &rounds[k];
        uint64_t ms = strtoull(field[VIRTUAL_MS], NULL, 10);
        r->virtual_ms = ms > r->virtual_ms ? ms : r->virtual_ms;
        r->bytes += strtoull(field[BYTES], NULL, 10);
        if (r->pod_seen != pod + 1)
            r->left_out += (uint32_t)strtoul(field[LEFT_OUT], NULL, 10);
        r->pod_seen = pod + 1;
        take_number(&r->loss, &r->losses, &r->pod_loss, pod, field[LOSS]);
        take_number(&r->distance, &r->distances, &r->pod_distance, pod,
                    field[DISTANCE]);
    }
}

static void print_mean(FILE *file, double sum, uint32_t count)
{
    fputc(',', file);
    if (count > 0)
        fprintf(file, "%.17g", sum / count);
}

static int write_rows(const struct round *rounds, size_t count, const char *out,
                      struct error *error)
{
    char path[STAGE_PATH_SIZE];

    stage_path(path, out, NULL, "rounds.csv");
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    fputs("round,virtual_ms,bytes_sent,loss,distance,left_out\n", file);
    for (size_t k = 0; k < count; k++) {
        if (rounds[k].pod_seen == 0)
            continue;
        fprintf(file, "%zu,%" PRIu64 ",%" PRIu64, k, rounds[k].virtual_ms,
                rounds[k].bytes);
        print_mean(file, rounds[k].loss, rounds[k].losses);
        print_mean(file, rounds[k].distance, rounds[k].distances);
        fprintf(file, ",%" PRIu32 "\n", rounds[k].left_out);
    }
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    return failed ? error_set(error, -EIO, "%s: could not be written", path)
                  : 0;
}

int podmerge_rounds(const struct study *study, const char *out,
                    struct error *error)
{
    const size_t count = (size_t)study->rounds_max + 1;
    struct round *rounds = calloc(count, sizeof *rounds);
    char path[STAGE_PATH_SIZE];

    if (rounds == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    for (uint32_t p = 0; p < study->pod_count; p++)
        for (uint32_t i = 0; i < study->pods[p].site_count; i++) {
            const struct study_site *site =
                &study->sites[study->pods[p].sites[i]];
            stage_path(path, out, site->name, "rounds.csv");
            FILE *file = fopen(path, "rb");
            if (file == NULL)
                continue;
            add_rows(rounds, count, p, file);
            fclose(file);
        }
    int code = write_rows(rounds, count, out, error);
    free(rounds);
    return code;
}

static const char *hash_of(const json_t *root)
{
    const char *hash = json_string_value(json_object_get(root, "state_hash"));

    return hash == NULL ? "none" : hash;
}

/* What is said of all sites, once. */
static void add_notes(json_t *root, const json_t *part)
{
    const json_t *notes = json_object_get(part, "notes");
    json_t *list = json_object_get(root, "notes");

    for (size_t i = 0; i < json_array_size(notes); i++) {
        json_t *note = json_array_get(notes, i);
        bool said = !json_is_string(note) ||
                    strstr(json_string_value(note), "this site") != NULL;
        for (size_t k = 0; k < json_array_size(list) && !said; k++)
            said = json_equal(json_array_get(list, k), note) != 0;
        if (!said)
            json_array_append(list, note);
    }
}

/* What one site says, into its pod's entry and the whole. */
static int add_site(json_t *pod, json_t *root, const json_t *part,
                    const struct study_site *site, uint64_t lost_bytes,
                    struct error *error)
{
    static const char *const common[] = {
        "state_hash", "members",      "converged", "rounds",
        "deviance",   "coefficients", "revealed",  "accused"};
    json_t *own = json_array_get(json_object_get(part, "per_site"), 0);
    json_t *bytes = json_object_get(own, "bytes_sent");

    if (json_object_get(pod, "state_hash") == NULL)
        for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
            json_t *value = json_object_get(part, common[i]);
            if (value != NULL)
                json_object_set(pod, common[i], value);
        }
    if (strcmp(hash_of(pod), hash_of(part)) != 0)
        return error_set(error, -EINVAL,
                         "found the state hash %s at %s, expected %s as at "
                         "the other sites of its pod",
                         hash_of(part), site->name, hash_of(pod));
    json_integer_set(bytes, json_integer_value(bytes) + (json_int_t)lost_bytes);
    json_array_append(json_object_get(root, "per_site"), own);
    add_notes(root, part);
    return 0;
}

static int add_pod(json_t *root, const struct study *study, uint32_t p,
                   const char *out, const uint64_t *lost_bytes,
                   struct error *error)
{
    json_t *pod = json_object();
    char path[STAGE_PATH_SIZE];
    int code = 0;

    json_object_set_new(pod, "pod", json_integer(p));
    json_array_append_new(json_object_get(root, "pods"), pod);
    for (uint32_t i = 0; code == 0 && i < study->pods[p].site_count; i++) {
        uint32_t at = study->pods[p].sites[i];
        stage_path(path, out, study->sites[at].name, "result.json");
        json_t *part = json_load_file(path, 0, NULL);
        if (part != NULL)
            code = add_site(pod, root, part, &study->sites[at], lost_bytes[at],
                            error);
        else
            json_array_append_new(
                json_object_get(root, "notes"),
                json_sprintf("%s has no result of its own: it was killed and "
                             "did not return",
                             study->sites[at].name));
        json_decref(part);
    }
    if (code == 0 && json_object_get(pod, "state_hash") == NULL)
        code =
            error_set(error, -ENOENT,
                      "%s: found no result.json of any site of pod %u", out, p);
    return code;
}

/* Under continue the hash is of a pod's cohorts, too: then the coefficients say
 * whether all have one model. */
static int check_exact(const json_t *root, const struct study *study,
                       struct error *error)
{
    const json_t *pods = json_object_get(root, "pods");
    const char *const key =
        study->on_loss == GOSSIP_CONTINUE ? "coefficients" : "state_hash";
    const json_t *first = json_object_get(json_array_get(pods, 0), key);

    for (size_t p = 1; p < json_array_size(pods); p++)
        if (!json_equal(json_object_get(json_array_get(pods, p), key), first))
            return error_set(error, -EINVAL,
                             "found another '%s' in pod %zu than in pod 0, "
                             "expected the same: mode is exact",
                             key, p);
    return 0;
}

static double estimate(const json_t *pods, size_t p, size_t k)
{
    const json_t *list =
        json_object_get(json_array_get(pods, p), "coefficients");

    return json_number_value(
        json_object_get(json_array_get(list, k), "estimate"));
}

/* (1/n) sum |x_p - mean|^2 over the coefficients that pods end with. */
static double consensus(const json_t *pods)
{
    const size_t n = json_array_size(pods);
    const size_t width = json_array_size(
        json_object_get(json_array_get(pods, 0), "coefficients"));
    double sum = 0;

    for (size_t k = 0; k < width; k++) {
        double mean = 0;
        for (size_t p = 0; p < n; p++)
            mean += estimate(pods, p, k) / (double)n;
        for (size_t p = 0; p < n; p++)
            sum += pow(estimate(pods, p, k) - mean, 2) / (double)n;
    }
    return sum;
}

static json_t *head_of(const struct study *study)
{
    json_t *root = json_object();

    json_object_set_new(root, "version", json_integer(1));
    json_object_set_new(root, "study", json_string(study->name));
    json_object_set_new(root, "task", json_string(study->task.kind));
    json_object_set_new(root, "method", json_string(study->task.method));
    json_object_set_new(root, "mode",
                        json_string(study->exact ? "exact" : "gossip"));
    json_object_set_new(root, "pods", json_array());
    json_object_set_new(root, "per_site", json_array());
    json_object_set_new(root, "notes", json_array());
    return root;
}

int podmerge_results(json_t **result, const struct study *study,
                     const char *out, const uint64_t *lost_bytes,
                     struct error *error)
{
    json_t *root = head_of(study);
    json_t *pods = json_object_get(root, "pods");
    int code = 0;

    *result = root;
    for (uint32_t p = 0; code == 0 && p < study->pod_count; p++)
        code = add_pod(root, study, p, out, lost_bytes, error);
    if (code == 0 && study->exact)
        code = check_exact(root, study, error);
    if (code != 0)
        return code;
    json_object_set(root, "rounds",
                    json_object_get(json_array_get(pods, 0), "rounds"));
    json_object_set(root, "state_hash",
                    json_object_get(json_array_get(pods, 0), "state_hash"));
    if (!study->exact) {
        json_object_set_new(root, "consensus", json_real(consensus(pods)));
        json_object_set_new(root, "state_hash", json_null());
    }
    return 0;
}
