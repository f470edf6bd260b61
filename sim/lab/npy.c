#include "sim/lab/npy.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 4096, NODES_MAX = 65536 };

struct head {
    char kind;    /* f, i, u, b */
    size_t bytes; /* of one number */
    size_t n;
    bool columns_first;
};

static int refuse(const char *path, const char *found, struct error *error)
{
    return error_set(error, -EINVAL,
                     "%s: found %s, expected a square .npy matrix of plain "
                     "numbers",
                     path, found);
}

/* A whole number at *text, which then stands behind it; 0 if there is none. */
static size_t whole(const char **text)
{
    size_t value = 0;

    while (**text == ' ' || **text == '(' || **text == ',')
        ++*text;
    for (; **text >= '0' && **text <= '9' && value <= NODES_MAX; ++*text)
        value = 10 * value + (size_t)(**text - '0');
    return value;
}

/* The dictionary's text: {'descr': '<f8', 'fortran_order': False, 'shape':
 * (3, 3), } */
static int parse(struct head *h, const char *text, const char *path,
                 struct error *error)
{
    static const char descr[] = "'descr': '", shaped[] = "'shape': (";
    const char *type = strstr(text, descr), *shape = strstr(text, shaped);

    if (type == NULL || strlen(type) < sizeof descr + 2)
        return refuse(path, "no type of number", error);
    type += sizeof descr - 1;
    h->kind = type[1];
    h->bytes = (size_t)(type[2] - '0');
    if (type[0] == '>' || strchr("fiub", h->kind) == NULL || type[3] != '\'' ||
        (h->bytes != 8 && h->bytes != 4 && (h->bytes != 1 || h->kind == 'f')))
        return refuse(path, "another type of number", error);
    if (shape == NULL)
        return refuse(path, "no shape", error);
    shape += sizeof shaped - 1;
    h->n = whole(&shape);
    if (h->n == 0 || h->n > NODES_MAX || whole(&shape) != h->n || *shape != ')')
        return refuse(path, "another shape", error);
    h->columns_first = strstr(text, "'fortran_order': True") != NULL;
    return 0;
}

static int read_head(struct head *h, FILE *file, const char *path,
                     struct error *error)
{
    unsigned char start[12];
    char text[HEAD_MAX + 1];
    size_t size;

    if (fread(start, 1, 8, file) != 8 || memcmp(start, "\x93NUMPY", 6) != 0 ||
        start[6] < 1 || start[6] > 3)
        return refuse(path, "another start", error);
    const size_t width = start[6] == 1 ? 2 : 4;
    if (fread(start + 8, 1, width, file) != width)
        return refuse(path, "no header", error);
    size = start[8] | (size_t)start[9] << 8;
    if (width == 4)
        size |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    if (size > HEAD_MAX || fread(text, 1, size, file) != size)
        return refuse(path, "no header", error);
    text[size] = '\0';
    return parse(h, text, path, error);
}

static double number(const struct head *h, const unsigned char *at)
{
    union {
        double f8;
        float f4;
        int64_t i8;
        int32_t i4;
        uint64_t u8;
        uint32_t u4;
    } x;

    if (h->bytes == 1)
        return h->kind == 'i' ? (double)(int8_t)*at : (double)*at;
    memcpy(&x, at, h->bytes);
    if (h->kind == 'f')
        return h->bytes == 8 ? x.f8 : (double)x.f4;
    if (h->kind == 'i')
        return h->bytes == 8 ? (double)x.i8 : (double)x.i4;
    return h->bytes == 8 ? (double)x.u8 : (double)x.u4;
}

static int take_line(struct table_matrix *m, const struct head *h,
                     const unsigned char *line, size_t place, const char *path,
                     struct error *error)
{
    for (size_t k = 0; k < h->n; k++) {
        const double v = number(h, line + k * h->bytes);
        const size_t i = h->columns_first ? k : place;
        const size_t j = h->columns_first ? place : k;
        if (!isfinite(v))
            return refuse(path, "what is not a number", error);
        if (fpclassify(v) == FP_ZERO)
            continue;
        if (m->count == m->room) {
            const size_t room = m->room == 0 ? 256 : 2 * m->room;
            void *more = realloc(m->entries, room * sizeof *m->entries);
            if (more == NULL)
                return error_set(error, -ENOMEM, "%s: out of memory", path);
            m->entries = more;
            m->room = room;
        }
        m->entries[m->count++] =
            (struct mixing_entry){(uint32_t)i, (uint32_t)j, v};
    }
    return 0;
}

int npy_read(struct table_matrix *m, FILE *file, const char *path,
             struct error *error)
{
    struct head h = {0};
    int code = read_head(&h, file, path, error);

    if (code != 0)
        return code;
    unsigned char *line = malloc(h.n * h.bytes + 1);
    if (line == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", path);
    for (size_t place = 0; code == 0 && place < h.n; place++)
        code = fread(line, h.bytes, h.n, file) != h.n
                   ? refuse(path, "an early end", error)
                   : take_line(m, &h, line, place, path, error);
    free(line);
    m->n = h.n;
    m->weighted = h.kind == 'f';
    return code;
}
