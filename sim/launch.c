#include "sim/launch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int launch_program(char path[STAGE_PATH_SIZE], struct error *error)
{
    static const char name[] = "starling";
    ssize_t size =
        readlink("/proc/self/exe", path, STAGE_PATH_SIZE - sizeof name);

    if (size <= 0)
        return error_set(error, -errno, "/proc/self/exe: %s", strerror(errno));
    path[size] = '\0';
    memcpy(strrchr(path, '/') + 1, name, sizeof name);
    if (access(path, X_OK) != 0)
        return error_set(error, -errno,
                         "%s: %s, expected the program beside starling-sim; "
                         "build or install both",
                         path, strerror(errno));
    return 0;
}

int launch_node(struct crew *crew, uint32_t site, const char *program,
                const char *out, const char *name, const char *hold,
                const char *const *settings, bool unmasked, struct error *error)
{
    char study[STAGE_PATH_SIZE], rows[STAGE_PATH_SIZE], keys[STAGE_PATH_SIZE];
    char folder[STAGE_PATH_SIZE], store[STAGE_PATH_SIZE];
    const char *arguments[] = {program,  "run",     study,    "--as",   name,
                               "--data", rows,      "--keys", keys,     "--out",
                               folder,   "--store", store,    "--json", NULL,
                               NULL,     NULL,      NULL};
    size_t count = 14;

    stage_path(study, out, NULL, "study.yaml");
    stage_path(rows, out, name, "rows.csv");
    stage_path(keys, out, name, "node.keys");
    stage_path(store, out, name, "node.store");
    stage_path(folder, out, NULL, name);
    if (hold != NULL) {
        arguments[count++] = "--hold";
        arguments[count++] = hold;
    }
    if (unmasked)
        arguments[count++] = "--unmasked";
    return crew_start(crew, site, arguments, settings, error);
}
