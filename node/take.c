#include "node/take.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

int take_text(char **to, const struct study *study, const char *text,
              struct error *error)
{
    free(*to);
    *to = strdup(text);
    if (*to == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", study->path);
    return 0;
}

int take_texts(char ***to, size_t *count, const struct study *study,
               const struct reader *r, int list, struct error *error)
{
    size_t n = reader_count(r, list);

    *to = calloc(n, sizeof **to);
    if (*to == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", study->path);
    *count = n;
    for (size_t i = 0; i < n; i++) {
        int item = reader_item(r, list, i);
        int code = take_text(&(*to)[i], study, reader_text(r, item), error);
        if (code != 0)
            return code;
        for (size_t j = 0; j < i; j++)
            if (strcmp((*to)[i], (*to)[j]) == 0)
                return reader_fail(r, reader_line(r, item), error,
                                   "found '%s' twice in one list, expected it "
                                   "once; remove one",
                                   (*to)[i]);
    }
    return 0;
}

int take_path(char **to, const struct study *study, const char *text,
              struct error *error)
{
    const char *slash = strrchr(study->path, '/');
    size_t folder =
        slash == NULL || text[0] == '/' ? 0 : (size_t)(slash - study->path) + 1;
    size_t size = folder + strlen(text) + 1;

    *to = malloc(size);
    if (*to == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", study->path);
    snprintf(*to, size, "%.*s%s", (int)folder, study->path, text);
    return 0;
}

bool take_is_name(const char *text, const char *more)
{
    size_t length = strlen(text), used = 0;

    if (length < 1 || length >= STUDY_NAME_SIZE)
        return false;
    while (used < length &&
           (memchr(letters, text[used], sizeof letters - 1) != NULL ||
            strchr(more, text[used]) != NULL))
        used++;
    return used == length;
}
