#include "sim/lab/sweep.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/recipe.h"

enum { VALUES_MAX = 1000, VALUE_LENGTH_MAX = 40 };

/* Each value fills the same rows and columns. */
static bool is_fixed(const char *key)
{
    static const char *const fixed[] = {
        "version",          "steps", "every", "seeds", "algorithms.name",
        "algorithms.label", "sweep"};
    const size_t count = sizeof fixed / sizeof *fixed;

    for (size_t k = 0; k < count; k++)
        if (strcmp(key, fixed[k]) == 0)
            return true;
    return strncmp(key, "sweep.", 6) == 0;
}

static int read_value(struct experiment *e, size_t i, const struct reader *r,
                      int item, struct error *error)
{
    const char *text = reader_text(r, item);

    if (text == NULL || strlen(text) > VALUE_LENGTH_MAX ||
        strpbrk(text, ",\":\n\r") != NULL)
        return reader_fail(r, reader_line(r, item), error,
                           "sweep: expected values that are numbers or words, "
                           "as they name columns");
    for (size_t j = 0; j < i; j++)
        if (strcmp(e->sweep_values[j], text) == 0)
            return reader_fail(r, reader_line(r, item), error,
                               "sweep: found %s twice, expected every value "
                               "once",
                               text);
    return recipe_text(&e->sweep_values[i], e, text, error);
}

int sweep_read(struct experiment *e, const struct reader *r, int node,
               struct error *error)
{
    static const struct reader_key keys[] = {
        {"key", READER_TEXT, true, 0, 0, "a key such as network.loss"},
        {"values", READER_LIST, true, 0, 0, ""},
    };
    struct reader_value v[2];
    int code = reader_map(v, r, node, keys, 2, "sweep", error);

    if (code != 0)
        return code;
    e->sweep_line = v[0].line;
    if (is_fixed(v[0].text))
        return reader_fail(r, v[0].line, error,
                           "sweep: found the key '%.40s', expected one that "
                           "does not change what is recorded",
                           v[0].text);
    if (reader_places(r, v[0].text) == 0)
        return reader_fail(r, v[0].line, error,
                           "sweep: found the key '%.40s', which has no value "
                           "in this file, expected one such as network.loss "
                           "or algorithms.step; write it where it belongs too",
                           v[0].text);
    const size_t count = reader_count(r, v[1].node);
    if (count == 0 || count > VALUES_MAX)
        return reader_fail(r, v[1].line, error,
                           "sweep: found %zu values, expected 1 to %d", count,
                           VALUES_MAX);
    e->sweep_values = calloc(count, sizeof *e->sweep_values);
    if (e->sweep_values == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    e->sweep_count = count;
    code = recipe_text(&e->sweep_key, e, v[0].text, error);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = read_value(e, i, r, reader_item(r, v[1].node, i), error);
    return code;
}

int sweep_apply(struct experiment *e, size_t place, struct error *error)
{
    if (e->sweep_count == 0)
        return 0;
    assert(place < e->sweep_count);
    if (!reader_put(e->reader, e->sweep_key, e->sweep_values[place]))
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    return experiment_again(e, error);
}
