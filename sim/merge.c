#include "sim/merge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/notes.h"
#include "sim/podmerge.h"
#include "sim/stage.h"

enum { ROW_SIZE = 4096 };
enum {
    ROUND,
    VIRTUAL_MS,
    SURVIVORS,
    LOSS,
    PHASE,
    BYTES,
    AWAITED,
    ACCURACY,
    TEST_LOSS,
    TEST_ACCURACY,
    COLUMNS
};

static const char header[] =
    "round,virtual_ms,survivors,loss,phase,bytes_sent,awaited,accuracy,"
    "test_loss,test_accuracy\n";

struct row { /* of rounds.csv; names in it have no commas */
    char text[ROW_SIZE];
    char *field[COLUMNS];
    uint64_t bytes, virtual_ms;
    char awaited[ROW_SIZE];
};

static bool split(struct row *row)
{
    char *rest = row->text;

    row->text[strcspn(row->text, "\r\n")] = '\0';
    for (int i = 0; i < COLUMNS; i++) {
        if (rest == NULL)
            return false;
        row->field[i] = rest;
        rest = i + 1 < COLUMNS ? strchr(rest, ',') : NULL;
        if (rest != NULL)
            *rest++ = '\0';
    }
    return true;
}

static void copy(struct row *to, const struct row *from)
{
    for (int i = 0; i < COLUMNS; i++)
        to->field[i] = to->text + (from->field[i] - from->text);
    memcpy(to->text, from->text, sizeof to->text);
}

/* Bytes are summed over the sites, the time is the last site's; the rest is the
 * first site's that saw the round and, if any did, what it led to, but for the
 * longest list of who was awaited. */
static void add_rows(struct row **rows, size_t count, FILE *file)
{
    struct row row;

    while (fgets(row.text, sizeof row.text, file) != NULL) {
        if (!split(&row))
            continue;
        char *end;
        uint64_t round = strtoull(row.field[ROUND], &end, 10);
        if (end == row.field[ROUND] || round >= count)
            continue;
        if (rows[round] == NULL) {
            rows[round] = calloc(1, sizeof row);
            if (rows[round] == NULL)
                return;
            copy(rows[round], &row);
        }
        if (rows[round]->field[LOSS][0] == '\0')
            copy(rows[round], &row);
        rows[round]->bytes += strtoull(row.field[BYTES], NULL, 10);
        uint64_t ms = strtoull(row.field[VIRTUAL_MS], NULL, 10);
        if (ms > rows[round]->virtual_ms)
            rows[round]->virtual_ms = ms;
        if (strlen(row.field[AWAITED]) > strlen(rows[round]->awaited))
            snprintf(rows[round]->awaited, sizeof row.awaited, "%s",
                     row.field[AWAITED]);
    }
}

static int write_rows(struct row *const *rows, size_t count, const char *out,
                      struct error *error)
{
    char path[STAGE_PATH_SIZE];

    stage_path(path, out, NULL, "rounds.csv");
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    fputs(header, file);
    for (size_t i = 0; i < count; i++)
        if (rows[i] != NULL)
            fprintf(file, "%zu,%" PRIu64 ",%s,%s,%s,%" PRIu64 ",%s,%s,%s,%s\n",
                    i, rows[i]->virtual_ms, rows[i]->field[SURVIVORS],
                    rows[i]->field[LOSS], rows[i]->field[PHASE], rows[i]->bytes,
                    rows[i]->awaited, rows[i]->field[ACCURACY],
                    rows[i]->field[TEST_LOSS], rows[i]->field[TEST_ACCURACY]);
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    return failed ? error_set(error, -EIO, "%s: could not be written", path)
                  : 0;
}

static int merge_rounds(const struct study *study, const char *out,
                        struct error *error)
{
    size_t count = (size_t)study->rounds_max + 1;
    struct row **rows = calloc(count, sizeof *rows);
    char path[STAGE_PATH_SIZE];

    if (rows == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    for (uint32_t i = 0; i < study->site_count; i++) {
        stage_path(path, out, study->sites[i].name, "rounds.csv");
        FILE *file = fopen(path, "rb");
        if (file == NULL)
            continue;
        add_rows(rows, count, file);
        fclose(file);
    }
    int code = write_rows(rows, count, out, error);
    for (size_t i = 0; i < count; i++)
        free(rows[i]);
    free(rows);
    return code;
}

static const char *hash_of(const json_t *root)
{
    const char *hash = json_string_value(json_object_get(root, "state_hash"));

    return hash == NULL ? "none" : hash;
}

/* Once each. */
static void add_to(json_t *list, const json_t *entry)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), entry))
            return;
    json_array_append(list, (json_t *)(uintptr_t)entry);
}

static void add_note(json_t *root, const json_t *note)
{
    add_to(json_object_get(root, "notes"), note);
}

/* Evidence may be at some sites only. */
static void add_accused(json_t *root, const json_t *part)
{
    const json_t *accused = json_object_get(part, "accused");

    for (size_t i = 0; i < json_array_size(accused); i++)
        add_to(json_object_get(root, "accused"), json_array_get(accused, i));
}

static void note_missing(json_t *root, const char *name)
{
    json_t *note = json_sprintf("%s has no result of its own: it was killed "
                                "and did not return",
                                name);

    add_note(root, note);
    json_decref(note);
}

static int add_site(json_t *root, const json_t *part, const char *name,
                    uint64_t lost_bytes, struct error *error)
{
    json_t *own = json_array_get(json_object_get(part, "per_site"), 0);
    json_t *bytes = json_object_get(own, "bytes_sent");

    if (strcmp(hash_of(root), hash_of(part)) != 0)
        return error_set(error, -EINVAL,
                         "found the state hash %s at %s, expected %s as at "
                         "the sites before it",
                         hash_of(part), name, hash_of(root));
    json_integer_set(bytes, json_integer_value(bytes) + (json_int_t)lost_bytes);
    json_array_append(json_object_get(root, "per_site"), own);
    add_accused(root, part);
    return 0;
}

/* What is said of all sites, then what each says of itself. */
static void add_notes(json_t *root, json_t *const *parts,
                      const struct study *study)
{
    struct notes local = {0};
    char line[NOTES_LINE_SIZE];

    json_array_clear(json_object_get(root, "notes"));
    for (uint32_t i = 0; i < study->site_count; i++) {
        const json_t *notes = json_object_get(parts[i], "notes");
        for (size_t k = 0; k < json_array_size(notes); k++) {
            const json_t *note = json_array_get(notes, k);
            const char *text = json_string_value(note);
            if (text != NULL && !notes_take(&local, text, i))
                add_note(root, note);
        }
    }
    for (size_t i = 0; i < local.count; i++) {
        notes_line(line, &local, i, study);
        json_array_append_new(json_object_get(root, "notes"),
                              json_string(line));
    }
}

static uint64_t rounds_of(const json_t *part)
{
    return (uint64_t)json_integer_value(json_object_get(part, "rounds"));
}

/* What all sites know is the same in each, but a node that was started again
 * has not seen all rounds: the base is one that has seen the most. */
static int join(json_t **root, json_t *const *parts, const struct study *study,
                const uint64_t *lost_bytes, struct error *error)
{
    const json_t *base = NULL;
    int code = 0;

    for (uint32_t i = 0; i < study->site_count; i++)
        if (parts[i] != NULL &&
            (base == NULL || rounds_of(parts[i]) > rounds_of(base)))
            base = parts[i];
    if (base == NULL)
        return -ENOENT;
    *root = json_deep_copy(base);
    json_array_clear(json_object_get(*root, "per_site"));
    add_notes(*root, parts, study);
    for (uint32_t i = 0; code == 0 && i < study->site_count; i++) {
        if (parts[i] == NULL)
            note_missing(*root, study->sites[i].name);
        else
            code = add_site(*root, parts[i], study->sites[i].name,
                            lost_bytes[i], error);
    }
    return code;
}

static int collect(json_t **root, const struct study *study, const char *out,
                   const uint64_t *lost_bytes, struct error *error)
{
    json_t *parts[GOSSIP_MEMBERS_MAX];
    char path[STAGE_PATH_SIZE];

    *root = NULL;
    for (uint32_t i = 0; i < study->site_count; i++) {
        stage_path(path, out, study->sites[i].name, "result.json");
        parts[i] = json_load_file(path, 0, NULL);
    }
    int code = join(root, parts, study, lost_bytes, error);
    for (uint32_t i = 0; i < study->site_count; i++)
        json_decref(parts[i]);
    if (code == -ENOENT)
        error_set(error, code, "%s: found no site's result.json", out);
    return code;
}

int merge_results(json_t **result, const struct study *study, const char *out,
                  const uint64_t *lost_bytes, double wall_seconds,
                  struct error *error)
{
    const bool pods = study->pod_count > 0;
    char path[STAGE_PATH_SIZE];
    int code = pods ? podmerge_rounds(study, out, error)
                    : merge_rounds(study, out, error);

    *result = NULL;
    if (code == 0 && pods)
        code = podmerge_results(result, study, out, lost_bytes, error);
    else if (code == 0)
        code = collect(result, study, out, lost_bytes, error);
    if (code == 0) {
        json_object_set_new(*result, "wall_seconds", json_real(wall_seconds));
        stage_path(path, out, NULL, "result.json");
        if (json_dump_file(*result, path,
                           JSON_INDENT(1) | JSON_PRESERVE_ORDER |
                               JSON_REAL_PRECISION(17)) != 0)
            code = error_set(error, -EIO, "%s: could not be written", path);
    }
    if (code != 0) {
        json_decref(*result);
        *result = NULL;
    }
    return code;
}
