#include "sim/stage.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/dataset.h"
#include "node/keyfile.h"
#include "sim/charter.h"
#include "sim/parcel.h"

static const char *const made[] = {
    "result.json",     "rounds.csv", "study.yaml",     "rows.csv",
    "node.keys",       "node.store", "node.store-wal", "node.store-shm",
    "node.store.lock", "log.txt",    "events.jsonl"};

void stage_path(char path[STAGE_PATH_SIZE], const char *out, const char *site,
                const char *name)
{
    if (site == NULL)
        snprintf(path, STAGE_PATH_SIZE, "%s/%s", out, name);
    else
        snprintf(path, STAGE_PATH_SIZE, "%s/%s/%s", out, site, name);
}

int stage_folder(const char *path, struct error *error)
{
    char part[STAGE_PATH_SIZE];
    struct stat about;
    int code = 0;

    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1; code == 0 && *slash != '\0'; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            code = -errno;
        *slash = '/';
    }
    if (code == 0 && mkdir(part, 0777) != 0 && errno != EEXIST)
        code = -errno;
    if (code == 0 && stat(part, &about) == 0 && !S_ISDIR(about.st_mode))
        code = -ENOTDIR;
    if (code == 0 && access(part, W_OK | X_OK) != 0)
        code = -errno;
    if (code == 0)
        return 0;
    return error_set(error, code,
                     "%s: %s, expected a folder to write to; give another "
                     "one with --out",
                     path, strerror(-code));
}

static int clean_folder(const char *out, const char *site, struct error *error)
{
    char path[STAGE_PATH_SIZE];

    stage_path(path, out, site, "");
    path[strlen(path) - 1] = '\0';
    int code = stage_folder(path, error);
    if (code != 0)
        return code;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        stage_path(path, out, site, made[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return error_set(error, -errno, "%s: %s", path, strerror(errno));
    }
    return 0;
}

/* As the nodes will read them, so that a mistake in a file is told with the
 * file and line that a person has. */
static int check_rows(const struct study *study, struct error *error)
{
    int code = 0;

    for (uint32_t i = 0; code == 0 && i < study->site_count; i++) {
        const struct study_site *site = &study->sites[i];
        const struct dataset_filter filter = {.column = site->rows_column,
                                              .equals = site->rows_equals};
        struct dataset *rows;
        code = dataset_read(&rows, site->data, &filter, &study->task, error);
        dataset_free(rows);
    }
    return code;
}

static int fill_site(const struct study_site *site, const char *out,
                     struct charter_site *public, uint16_t port,
                     struct prg *prg, struct error *error)
{
    char path[STAGE_PATH_SIZE];
    struct dataset_filter filter = {.column = site->rows_column,
                                    .equals = site->rows_equals};
    struct identity identity;
    size_t rows;

    int code = clean_folder(out, site->name, error);
    if (code != 0)
        return code;
    stage_path(path, out, site->name, "rows.csv");
    code = parcel_rows(&rows, path, site->data, &filter, error);
    if (code != 0)
        return code;
    identity_generate(&identity, prg);
    stage_path(path, out, site->name, "node.keys");
    code = keyfile_write(path, &identity, NULL, error);
    public->key = identity.open;
    identity_wipe(&identity);
    snprintf(public->address, sizeof public->address, "tcp://127.0.0.1:%u",
             (unsigned)port);
    return code;
}

int stage_fill(struct study *study, const char *out, const uint16_t *ports,
               struct error *error)
{
    struct charter_site sites[GOSSIP_MEMBERS_MAX];
    uint8_t seed[PRG_SEED_BYTES];
    char path[STAGE_PATH_SIZE];
    struct prg prg;
    int code = clean_folder(out, NULL, error);

    for (uint32_t i = 0; i < study->site_count; i++)
        if (study->sites[i].data == NULL)
            return error_set(error, -EINVAL,
                             "%s:%u: found no `data:` at site %s, expected a "
                             "CSV file; add it",
                             study->path, study->sites[i].line,
                             study->sites[i].name);
    if (code == 0)
        code = study_resolve(study, study->sites[0].data, error);
    if (code == 0)
        code = check_rows(study, error);
    randombytes_buf(seed, sizeof seed);
    prg_seed(&prg, seed);
    for (uint32_t i = 0; code == 0 && i < study->site_count; i++)
        code =
            fill_site(&study->sites[i], out, &sites[i], ports[i], &prg, error);
    sodium_memzero(seed, sizeof seed);
    prg_wipe(&prg);
    if (code != 0)
        return code;
    stage_path(path, out, NULL, "study.yaml");
    return charter_write(path, study, sites, error);
}
