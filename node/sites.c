#include "node/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/take.h"

static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (strncmp(text, "tcp://", 6) != 0 || colon <= text + 6)
        return false;
    size_t digits = strspn(colon + 1, "0123456789");
    long port = strtol(colon + 1, NULL, 10);
    return digits >= 1 && digits <= 5 && colon[1 + digits] == '\0' &&
           port >= 1 && port <= 65535 && text[strcspn(text, " \t\n*")] == '\0';
}

static int read_rows(struct study_site *site, const struct study *study,
                     const struct reader *r, int node, struct error *error)
{
    static const struct reader_key keys[] = {
        {"column", READER_TEXT, true, 0, 0, "the name of a column"},
        {"equals", READER_TEXT, true, 0, 0, "the value of the rows to keep"},
    };
    struct reader_value v[2];
    int code = reader_map(v, r, node, keys, 2, "rows", error);

    if (code == 0)
        code = take_text(&site->rows_column, study, v[0].text, error);
    if (code == 0)
        code = take_text(&site->rows_equals, study, v[1].text, error);
    return code;
}

static int check_site(const struct study *study, uint32_t place,
                      const struct reader *r, struct error *error)
{
    const struct study_site *site = &study->sites[place];

    if (!take_is_name(site->name, "0123456789_.-") ||
        strchr(".-", site->name[0]) != NULL)
        return reader_fail(
            r, site->line, error,
            "found the site name '%.60s', expected 1 to 40 of "
            "letters, digits, '_', '.', '-', the first a letter, "
            "digit or '_'",
            site->name);
    for (uint32_t i = 0; i < place; i++) {
        const struct study_site *other = &study->sites[i];
        if (strcmp(other->name, site->name) == 0)
            return reader_fail(r, site->line, error,
                               "found a second site '%s' (first at line %u), "
                               "expected every name once",
                               site->name, other->line);
        if (site->address != NULL && other->address != NULL &&
            strcmp(site->address, other->address) == 0)
            return reader_fail(r, site->line, error,
                               "found address: %.60s at '%s' (line %u) and at "
                               "'%s' (line %u), expected each site's own",
                               site->address, other->name, other->line,
                               site->name, site->line);
        if (site->has_key && other->has_key &&
            memcmp(&site->key, &other->key, sizeof site->key) == 0)
            return reader_fail(r, site->line, error,
                               "found the same key at '%s' and '%s', expected "
                               "each site's own; run 'starling init' there",
                               other->name, site->name);
    }
    if (place > 0 && site->has_key != study->sites[0].has_key)
        return reader_fail(r, site->line, error,
                           "found %s at '%s' but %s at '%s', expected a key at "
                           "every site or at none",
                           site->has_key ? "a key" : "no key", site->name,
                           site->has_key ? "none" : "one",
                           study->sites[0].name);
    return 0;
}

static int read_site(struct study *study, uint32_t place,
                     const struct reader *r, int node, struct error *error)
{
    enum { NAME, DATA, ROWS, ADDRESS, KEY, KEYS };
    static const struct reader_key keys[KEYS] = {
        {"name", READER_TEXT, true, 0, 0, "the site's name"},
        {"data", READER_TEXT, false, 0, 0, "the path of a CSV file"},
        {"rows", READER_MAP, false, 0, 0, ""},
        {"address", READER_TEXT, false, 0, 0, "tcp://host:port"},
        {"key", READER_TEXT, false, 0, 0, "the key that 'init' printed"},
    };
    struct study_site *site = &study->sites[place];
    struct reader_value v[KEYS];
    int code = reader_map(v, r, node, keys, KEYS, "a site", error);

    if (code != 0)
        return code;
    site->line = v[NAME].line;
    if ((code = take_text(&site->name, study, v[NAME].text, error)) != 0)
        return code;
    if (v[DATA].line != 0 &&
        (code = take_path(&site->data, study, v[DATA].text, error)) != 0)
        return code;
    if (v[ROWS].line != 0 &&
        (code = read_rows(site, study, r, v[ROWS].node, error)) != 0)
        return code;
    if (v[ADDRESS].line != 0) {
        if (!is_address(v[ADDRESS].text))
            return reader_fail(r, v[ADDRESS].line, error,
                               "address: found '%.60s', expected "
                               "tcp://host:port, the port from 1 to 65535",
                               v[ADDRESS].text);
        code = take_text(&site->address, study, v[ADDRESS].text, error);
        if (code != 0)
            return code;
    }
    if (v[KEY].line != 0) {
        if (identity_parse(&site->key, v[KEY].text) != 0)
            return reader_fail(r, v[KEY].line, error,
                               "key: found '%.20s...', expected 'starling-' "
                               "and 86 characters; copy the whole line that "
                               "'starling init' printed",
                               v[KEY].text);
        site->has_key = true;
    }
    return check_site(study, place, r, error);
}

int sites_read(struct study *study, const struct reader *r, int list,
               uint32_t most, struct error *error)
{
    size_t count = reader_count(r, list);
    uint32_t line = reader_line(r, list);

    if (count < 3)
        return reader_fail(r, line, error,
                           "sites: found %zu, expected 3 to %u: with two, each "
                           "would learn the other's rows' sums; find a third "
                           "site",
                           count, most);
    if (count > most)
        return reader_fail(r, line, error,
                           "sites: found %zu, expected 3 to %u; split the "
                           "network into pods or several studies",
                           count, most);
    study->sites = calloc(count, sizeof *study->sites);
    if (study->sites == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", study->path);
    study->site_count = (uint32_t)count;
    study->task.members = (uint32_t)count;
    for (uint32_t i = 0; i < count; i++) {
        int code = read_site(study, i, r, reader_item(r, list, i), error);
        if (code != 0)
            return code;
    }
    return 0;
}
