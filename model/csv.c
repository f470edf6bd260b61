#include "model/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_all(struct csv *csv, FILE *file, struct error *error)
{
    size_t room = 0, got;

    do {
        if (csv->size + 1 >= room) {
            room = room == 0 ? (size_t)1 << 16 : room * 2;
            char *text = realloc(csv->text, room);
            if (text == NULL)
                return error_set(error, -ENOMEM, "%s: out of memory",
                                 csv->path);
            csv->text = text;
        }
        errno = 0;
        got = fread(csv->text + csv->size, 1, room - csv->size - 1, file);
        csv->size += got;
    } while (got > 0);
    if (ferror(file)) {
        int code = errno == 0 ? EIO : errno;
        return error_set(error, -code,
                         "%s: %s; give a CSV file with --data or data:",
                         csv->path, strerror(code));
    }
    csv->text[csv->size] = '\0';
    return 0;
}

static int check_text(const struct csv *csv, struct error *error)
{
    if (csv->size == csv->at)
        return error_set(error, -EINVAL,
                         "%s: found an empty file, expected a header line and "
                         "rows",
                         csv->path);
    const char *nul = memchr(csv->text, '\0', csv->size);
    if (nul == NULL)
        return 0;
    size_t line = 1;
    for (const char *c = csv->text; c < nul; c++)
        line += *c == '\n';
    return error_set(error, -EINVAL,
                     "%s:%zu: found a NUL byte, expected text in UTF-8",
                     csv->path, line);
}

int csv_open(struct csv *csv, const char *path, struct error *error)
{
    *csv = (struct csv){.path = path, .line_next = 1};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        int code = errno;
        return error_set(error, -code,
                         "%s: %s; give an existing CSV file with --data or "
                         "data:",
                         path, strerror(code));
    }
    int code = read_all(csv, file, error);
    fclose(file);
    if (code == 0) {
        if (csv->size >= 3 && memcmp(csv->text, "\xEF\xBB\xBF", 3) == 0)
            csv->at = 3;
        code = check_text(csv, error);
    }
    if (code != 0)
        csv_close(csv);
    return code;
}

void csv_close(struct csv *csv)
{
    free(csv->text);
    free(csv->fields);
    *csv = (struct csv){0};
}

static int add_field(struct csv *csv, char *field, struct error *error)
{
    if (csv->count == csv->room) {
        size_t room = csv->room == 0 ? 32 : csv->room * 2;
        char **fields = realloc(csv->fields, room * sizeof *fields);
        if (fields == NULL)
            return error_set(error, -ENOMEM, "%s: out of memory", csv->path);
        csv->fields = fields;
        csv->room = room;
    }
    csv->fields[csv->count++] = field;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind a field: true if the record ends here. */
static bool end_field(struct csv *csv, size_t at)
{
    if (at < csv->size && csv->text[at] == ',') {
        csv->at = at + 1;
        return false;
    }
    if (at < csv->size && csv->text[at] == '\r')
        at++;
    if (at < csv->size && csv->text[at] == '\n') {
        at++;
        csv->line_next++;
    }
    csv->at = at;
    return true;
}

static bool ends_record(const struct csv *csv, size_t at)
{
    return at >= csv->size || csv->text[at] == '\n' ||
           (csv->text[at] == '\r' &&
            (at + 1 >= csv->size || csv->text[at + 1] == '\n'));
}

static int quoted(struct csv *csv, size_t at, bool *last, struct error *error)
{
    char *const text = csv->text;
    const size_t line = csv->line_next;
    size_t from = at + 1, to = at;

    for (;; from++) {
        if (from >= csv->size)
            return error_set(error, -EINVAL,
                             "%s:%zu: found a quote that is never closed, "
                             "expected '\"' before the end of the file",
                             csv->path, line);
        if (text[from] == '"' && text[from + 1] != '"')
            break;
        from += text[from] == '"';
        csv->line_next += text[from] == '\n';
        text[to++] = text[from];
    }
    for (from++; is_blank(text[from]);)
        from++;
    if (text[from] != ',' && !ends_record(csv, from))
        return error_set(error, -EINVAL,
                         "%s:%zu: found '%.20s' behind a closing quote, "
                         "expected ',' or the end of the line; double a quote "
                         "that belongs to the text",
                         csv->path, csv->line_next, text + from);
    *last = end_field(csv, from);
    text[to] = '\0';
    return add_field(csv, text + at, error);
}

static int plain(struct csv *csv, size_t at, bool *last, struct error *error)
{
    size_t end = at;

    while (csv->text[end] != ',' && !ends_record(csv, end))
        end++;
    *last = end_field(csv, end);
    while (end > at && is_blank(csv->text[end - 1]))
        end--;
    csv->text[end] = '\0';
    return add_field(csv, csv->text + at, error);
}

int csv_next(struct csv *csv, struct error *error)
{
    bool last = false;
    int code = 0;

    while (csv->at < csv->size && ends_record(csv, csv->at))
        end_field(csv, csv->at);
    csv->count = 0;
    if (csv->at >= csv->size)
        return 0;
    csv->line = csv->line_next;
    while (!last && code == 0) {
        size_t at = csv->at;
        while (is_blank(csv->text[at]))
            at++;
        code = csv->text[at] == '"' ? quoted(csv, at, &last, error)
                                    : plain(csv, at, &last, error);
    }
    return code == 0 ? 1 : code;
}
