#include "sim/lab/graphml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The value of `name="..."` inside the tag text[size]. */
static bool attribute(char *value, size_t room, const char *text, size_t size,
                      const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 1; i + length + 2 < size; i++) {
        char quote = text[i + length + 1];
        if (strncmp(text + i, name, length) != 0 || text[i + length] != '=' ||
            (quote != '"' && quote != '\'') ||
            strchr(" \t\r\n", text[i - 1]) == NULL)
            continue;
        const char *start = text + i + length + 2;
        const char *end = memchr(start, quote, size - (i + length + 2));
        if (end == NULL || (size_t)(end - start) >= room)
            return false;
        memcpy(value, start, (size_t)(end - start));
        value[end - start] = '\0';
        return true;
    }
    return false;
}

enum { IDS_MAX = 1 << 20, ID_SIZE = 64 };

static size_t find_id(char (*ids)[ID_SIZE], size_t count, const char *id)
{
    for (size_t i = 0; ids != NULL && i < count; i++)
        if (strcmp(ids[i], id) == 0)
            return i;
    return SIZE_MAX;
}

static int graphml_tag(struct table_matrix *m, char (**ids)[ID_SIZE],
                       const char *tag, size_t size, const char *path,
                       size_t line, struct error *error)
{
    char one[ID_SIZE], other[ID_SIZE];

    if (strncmp(tag, "node", 4) == 0 && strchr(" \t\r\n", tag[4]) != NULL) {
        if (!attribute(one, sizeof one, tag, size, "id"))
            return table_bad_line(path, line, "<node id=\"...\">", error);
        if (find_id(*ids, m->n, one) != SIZE_MAX || m->n == IDS_MAX)
            return table_bad_line(path, line, "every node's id once", error);
        void *more = realloc(*ids, (m->n + 1) * sizeof **ids);
        if (more == NULL)
            return error_set(error, -ENOMEM, "%s: out of memory", path);
        *ids = more;
        memcpy((*ids)[m->n++], one, sizeof one);
        return 0;
    }
    if (strncmp(tag, "edge", 4) != 0 || strchr(" \t\r\n", tag[4]) == NULL)
        return 0;
    if (!attribute(one, sizeof one, tag, size, "source") ||
        !attribute(other, sizeof other, tag, size, "target"))
        return table_bad_line(path, line,
                              "<edge source=\"...\" target=\"...\">", error);
    size_t i = find_id(*ids, m->n, one), j = find_id(*ids, m->n, other);
    if (i == SIZE_MAX || j == SIZE_MAX)
        return table_bad_line(path, line,
                              "an edge between nodes named before it", error);
    int code = table_add(m, i, j, 1, path, error);
    return code == 0 && i != j ? table_add(m, j, i, 1, path, error) : code;
}

/* From the '<' at `at` to its end, which a comment has elsewhere; NULL if the
 * file ends before. */
static const char *tag_end(const char *at)
{
    const bool comment = strncmp(at, "<!--", 4) == 0;
    const char *end = comment ? strstr(at + 4, "-->") : strchr(at, '>');

    return end != NULL && comment ? end + 2 : end;
}

static int read_tags(struct table_matrix *m, char (**ids)[ID_SIZE],
                     const char *text, const char *path, struct error *error)
{
    bool closed = false;
    size_t line = 1;
    int code = 0;

    for (const char *at = text; code == 0 && *at != '\0'; at++) {
        line += *at == '\n';
        if (*at != '<')
            continue;
        const char *end = tag_end(at);
        if (end == NULL)
            return table_bad_line(path, line,
                                  "a tag that ends with >; is the file "
                                  "cut off?",
                                  error);
        closed = closed || strncmp(at, "</graphml", 9) == 0;
        code =
            graphml_tag(m, ids, at + 1, (size_t)(end - at), path, line, error);
        for (; at < end; at++)
            line += at[1] == '\n';
    }
    if (code == 0 && !closed)
        code = error_set(error, -EINVAL,
                         "%s:%zu: found no </graphml>, expected it at the end; "
                         "is the file cut off?",
                         path, line);
    if (code == 0 && m->n == 0)
        code = error_set(error, -EINVAL,
                         "%s: found no <node>, expected a GraphML file", path);
    return code;
}

int graphml_read(struct table_matrix *m, FILE *file, const char *path,
                 struct error *error)
{
    char *text = NULL;
    char(*ids)[ID_SIZE] = NULL;
    size_t room = 0;
    ssize_t size = getdelim(&text, &room, '\0', file);
    int code = 0;

    if (size < 0 && ferror(file) != 0)
        code =
            error_set(error, -EIO, "%s: cannot be read, expected a file", path);
    else if (size >= 0 && getc(file) != EOF)
        code = error_set(error, -EINVAL, "%s: found a zero byte, expected text",
                         path);
    if (code == 0)
        code = read_tags(m, &ids, size < 0 ? "" : text, path, error);
    free(ids);
    free(text);
    return code;
}
