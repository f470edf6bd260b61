#include "sim/lab/table.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/csv.h"
#include "model/number.h"
#include "sim/lab/graphml.h"
#include "sim/lab/npy.h"

/* What column `c` of `names` is called; "" beyond the last. */
static void name_of(char *name, size_t size, const char *names, size_t c)
{
    for (size_t i = 0; i < c && strchr(names, ',') != NULL; i++)
        names = strchr(names, ',') + 1;
    size_t length = strcspn(names, ",");
    snprintf(name, size, "%.*s", (int)length, names);
}

static size_t count_names(const char *names, bool *open)
{
    size_t count = 1;

    for (const char *c = names; *c != '\0'; c++)
        count += *c == ',';
    *open = names[strlen(names) - 1] == '*';
    return count;
}

/* What the line should be, for a message: "node,k,c,a0,a1,...". */
static bool is_header(const struct csv *csv, const char *names)
{
    bool open;
    size_t count = count_names(names, &open);
    char name[64], want[80];

    for (size_t c = 0; c < csv->count; c++) {
        name_of(name, sizeof name, names, c < count ? c : count - 1);
        snprintf(want, sizeof want, "%s", name);
        if (open && c + 1 >= count)
            snprintf(want, sizeof want, "%.*s%zu", (int)strlen(name) - 1, name,
                     c + 1 - count);
        if (strcmp(csv->fields[c], want) != 0)
            return false;
    }
    return open ? csv->count >= count : csv->count == count;
}

static int wrong_width(const struct csv *csv, const char *names, size_t want,
                       struct error *error)
{
    bool open = false;

    if (names != NULL && (count_names(names, &open), !open))
        return error_set(error, -EINVAL,
                         "%s:%zu: found %zu columns, expected %zu: %s",
                         csv->path, csv->line, csv->count, want, names);
    return error_set(error, -EINVAL,
                     "%s:%zu: found %zu columns, expected %zu as in the first "
                     "line",
                     csv->path, csv->line, csv->count, want);
}

static int take_row(struct table *t, size_t *room, const struct csv *csv,
                    struct error *error)
{
    if (t->rows == *room) {
        size_t more = *room == 0 ? 64 : 2 * *room;
        double *v = realloc(t->v, more * t->columns * sizeof *v);
        if (v != NULL)
            t->v = v;
        uint32_t *line =
            v == NULL ? NULL : realloc(t->line, more * sizeof *line);
        if (line == NULL)
            return error_set(error, -ENOMEM, "%s: out of memory", csv->path);
        t->line = line;
        *room = more;
    }
    for (size_t c = 0; c < t->columns; c++) {
        double *v = &t->v[t->rows * t->columns + c];
        if (!number_parse(v, csv->fields[c]) || !isfinite(*v))
            return error_set(error, -EINVAL,
                             "%s:%zu: found '%.40s' in column %zu, expected a "
                             "number",
                             csv->path, csv->line, csv->fields[c], c + 1);
    }
    t->line[t->rows++] = (uint32_t)csv->line;
    return 0;
}

/* The first record: a header, or already numbers. Returns 1 if it was one. */
static int take_first(struct table *t, const struct csv *csv, const char *names,
                      bool header, struct error *error)
{
    bool open = false;
    double number;

    t->columns = csv->count;
    if (names == NULL)
        return 0;
    size_t count = count_names(names, &open);
    if (is_header(csv, names))
        return 1;
    if (header || !number_parse(&number, csv->fields[0]))
        return error_set(error, -EINVAL,
                         "%s:%zu: found '%.40s' and %zu columns in all, "
                         "expected the header %s",
                         csv->path, csv->line, csv->fields[0], csv->count,
                         names);
    if (!open && csv->count != count)
        return wrong_width(csv, names, count, error);
    return 0;
}

int table_read(struct table *t, const char *path, const char *names,
               bool header, struct error *error)
{
    struct csv csv;
    size_t room = 0;
    int code, more;

    *t = (struct table){0};
    code = csv_open(&csv, path, error);
    if (code == -EINVAL)
        return code;
    if (code != 0)
        return error_set(error, code, "%s: %s; expected a CSV file", path,
                         strerror(-code));
    for (bool first = true; (more = csv_next(&csv, error)) == 1;
         first = false) {
        if (first && (code = take_first(t, &csv, names, header, error)) != 0) {
            if (code < 0)
                break;
            code = 0;
            continue;
        }
        code = csv.count != t->columns
                   ? wrong_width(&csv, names, t->columns, error)
                   : take_row(t, &room, &csv, error);
        if (code != 0)
            break;
    }
    csv_close(&csv);
    if (code == 0)
        code = more;
    if (code != 0)
        table_free(t);
    return code;
}

void table_free(struct table *t)
{
    free(t->v);
    free(t->line);
    *t = (struct table){0};
}

int table_index(size_t *value, const struct table *t, size_t row, size_t column,
                size_t bound, const char *path, const char *what,
                struct error *error)
{
    double v = t->v[row * t->columns + column];

    assert(row < t->rows && column < t->columns);
    if (v >= 0 && v < (double)bound && floor(v) >= v) {
        *value = (size_t)v;
        return 0;
    }
    return error_set(error, -EINVAL,
                     "%s:%u: found %.17g as %s, expected a whole number from 0 "
                     "to %zu",
                     path, t->line[row], v, what, bound - 1);
}

int table_add(struct table_matrix *m, size_t i, size_t j, double weight,
              const char *path, struct error *error)
{
    if (m->count == m->room) {
        size_t room = m->room == 0 ? 256 : 2 * m->room;
        void *more = realloc(m->entries, room * sizeof *m->entries);
        if (more == NULL)
            return error_set(error, -ENOMEM, "%s: out of memory", path);
        m->entries = more;
        m->room = room;
    }
    m->entries[m->count++] =
        (struct mixing_entry){(uint32_t)i, (uint32_t)j, weight};
    return 0;
}

/* Cuts the next word off *text; NULL at the end. */
static char *word(char **text)
{
    char *start = *text + strspn(*text, " \t\r\n");
    char *end = start + strcspn(start, " \t\r\n");

    if (*start == '\0')
        return NULL;
    *text = end + (*end != '\0');
    *end = '\0';
    return start;
}

static bool whole(size_t *value, const char *text)
{
    char *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    *value = (size_t)v;
    return *end == '\0' && errno == 0 && v < UINT32_MAX;
}

int table_bad_line(const char *path, size_t line, const char *expected,
                   struct error *error)
{
    return error_set(error, -EINVAL, "%s:%zu: found another line, expected %s",
                     path, line, expected);
}

static int read_edge(struct table_matrix *m, char *text, const char *path,
                     size_t line, struct error *error)
{
    char *comment = strchr(text, '#'), *third;
    size_t i, j;
    double weight = 1;

    if (comment != NULL)
        *comment = '\0';
    char *first = word(&text);
    if (first == NULL)
        return 0;
    if (!whole(&i, first) || !whole(&j, word(&text)))
        return table_bad_line(path, line, "'i j' or 'i j weight', nodes from 0",
                              error);
    third = word(&text);
    if (third != NULL && (!number_parse(&weight, third) || !isfinite(weight) ||
                          word(&text) != NULL))
        return table_bad_line(path, line, "'i j' or 'i j weight', nodes from 0",
                              error);
    if (m->count > 0 && m->weighted != (third != NULL))
        return table_bad_line(path, line, "a weight on every line or on none",
                              error);
    m->weighted = third != NULL;
    int code = table_add(m, i, j, weight, path, error);
    return code == 0 && i != j ? table_add(m, j, i, weight, path, error) : code;
}

struct market {
    bool pattern, symmetric, sized, dense;
    size_t expected, seen;
};

static int market_banner(struct market *k, char *text, const char *path,
                         struct error *error)
{
    k->pattern = strstr(text, "pattern") != NULL;
    k->symmetric = strstr(text, "symmetric") != NULL;
    k->dense = strstr(text, "array") != NULL;
    if (strncmp(text, "%%MatrixMarket matrix ", 22) == 0 &&
        strstr(text, "complex") == NULL && strstr(text, "hermitian") == NULL &&
        strstr(text, "skew") == NULL && !(k->dense && k->symmetric))
        return 0;
    return table_bad_line(path, 1,
                          "'%%MatrixMarket matrix coordinate real general' or "
                          "another real one",
                          error);
}

static int market_size(struct table_matrix *m, struct market *k, char *text,
                       const char *path, size_t line, struct error *error)
{
    size_t columns;

    if (!whole(&m->n, word(&text)) || !whole(&columns, word(&text)))
        return table_bad_line(path, line, "'rows columns entries'", error);
    k->expected = m->n * columns;
    if (!k->dense && !whole(&k->expected, word(&text)))
        return table_bad_line(path, line, "'rows columns entries'", error);
    if (m->n != columns)
        return error_set(error, -EINVAL,
                         "%s:%zu: found %zu rows and %zu columns, expected a "
                         "square matrix",
                         path, line, m->n, columns);
    k->sized = true;
    return 0;
}

static int market_entry(struct table_matrix *m, struct market *k, char *text,
                        const char *path, size_t line, struct error *error)
{
    size_t i = 0, j = 0;
    double weight = 1;
    bool good = true;

    if (k->dense) { /* column by column */
        i = m->n == 0 ? 0 : k->seen % m->n + 1;
        j = m->n == 0 ? 0 : k->seen / m->n + 1;
    } else {
        good = whole(&i, word(&text)) && whole(&j, word(&text));
    }
    char *value = k->pattern ? NULL : word(&text);
    if (!k->pattern)
        good = good && value != NULL && number_parse(&weight, value) &&
               isfinite(weight);
    if (!good || i < 1 || j < 1 || i > m->n || j > m->n ||
        k->seen == k->expected)
        return table_bad_line(path, line,
                              "as many entries 'row column value', from "
                              "1, as the size line says",
                              error);
    k->seen++;
    int code = table_add(m, i - 1, j - 1, weight, path, error);
    if (code == 0 && k->symmetric && i != j)
        code = table_add(m, j - 1, i - 1, weight, path, error);
    return code;
}

static int read_market(struct table_matrix *m, struct market *k, char *text,
                       const char *path, size_t line, struct error *error)
{
    if (line == 1)
        return market_banner(k, text, path, error);
    if (text[0] == '%' || text[strspn(text, " \t\r\n")] == '\0')
        return 0;
    m->weighted = !k->pattern;
    if (!k->sized)
        return market_size(m, k, text, path, line, error);
    return market_entry(m, k, text, path, line, error);
}

static bool ends(const char *path, const char *end)
{
    size_t a = strlen(path), b = strlen(end);

    return a >= b && strcmp(path + a - b, end) == 0;
}

static int read_lines(struct table_matrix *m, FILE *file, const char *path,
                      struct error *error)
{
    const bool market = ends(path, ".mtx");
    struct market state = {0};
    char *text = NULL;
    size_t room = 0, line = 0;
    int code = 0;

    while (code == 0 && getline(&text, &room, file) >= 0) {
        line++;
        code = market ? read_market(m, &state, text, path, line, error)
                      : read_edge(m, text, path, line, error);
    }
    free(text);
    if (code == 0 && ferror(file) != 0)
        code =
            error_set(error, -EIO, "%s: cannot be read, expected a file", path);
    if (code == 0 && market && !state.sized)
        code = error_set(error, -EINVAL,
                         "%s: found no size line, expected a MatrixMarket file",
                         path);
    if (code == 0 && market && state.seen != state.expected)
        code =
            error_set(error, -EINVAL, "%s:%zu: found %zu entries, expected %zu",
                      path, line, state.seen, state.expected);
    return code;
}

int table_matrix(struct table_matrix *m, const char *path, struct error *error)
{
    FILE *file = fopen(path, "r");

    *m = (struct table_matrix){0};
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    int code = ends(path, ".graphml") ? graphml_read(m, file, path, error)
               : ends(path, ".npy")   ? npy_read(m, file, path, error)
                                      : read_lines(m, file, path, error);
    fclose(file);
    if (code != 0)
        table_matrix_free(m);
    return code;
}

void table_matrix_free(struct table_matrix *m)
{
    free(m->entries);
    *m = (struct table_matrix){0};
}
