#include "node/reader.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    FILE_SIZE_MAX = 1 << 20,
    FILE_ROOM = 1 << 14, /* for most studies */
    WORD_SIZE = 64,
    KEYS_MAX = 32,
    DEPTH_MAX = 16
};

struct reader {
    char *path;
    unsigned char *bytes; /* [size] */
    size_t size;
    yaml_document_t document;
    bool has_document;
};

int reader_fail(const struct reader *r, uint32_t line, struct error *error,
                const char *format, ...)
{
    char text[ERROR_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(error, -EINVAL, "%s:%u: %s", r->path, line, text);
}

/* Returns false if out of memory. */
static bool read_all(struct reader *r, FILE *file)
{
    size_t room = FILE_ROOM;

    do {
        unsigned char *larger = realloc(r->bytes, room);
        if (larger == NULL)
            return false;
        r->bytes = larger;
        r->size += fread(r->bytes + r->size, 1, room - r->size, file);
        room *= 2;
    } while (r->size == room / 2 && r->size <= FILE_SIZE_MAX);
    return true;
}

static int read_bytes(struct reader *r, struct error *error)
{
    FILE *file = fopen(r->path, "rb");

    if (file == NULL)
        return error_set(error, -errno, "%s: %s; expected a YAML file", r->path,
                         strerror(errno));
    bool enough = read_all(r, file);
    int code = ferror(file) ? -errno : 0;
    fclose(file);
    if (!enough)
        return error_set(error, -ENOMEM, "%s: out of memory", r->path);
    if (code != 0)
        return error_set(error, code, "%s: %s; expected a YAML file", r->path,
                         strerror(-code));
    if (r->size > FILE_SIZE_MAX)
        return error_set(error, -EFBIG,
                         "%s: found more than 1 MiB, expected a YAML file",
                         r->path);
    return 0;
}

static bool line_has_tab(const struct reader *r, size_t line)
{
    size_t at = 0;

    for (size_t i = 0; i < r->size; i++) {
        if (at == line && r->bytes[i] == '\t')
            return true;
        at += r->bytes[i] == '\n';
    }
    return false;
}

static int yaml_failed(const struct reader *r, const yaml_parser_t *parser,
                       struct error *error)
{
    size_t line = parser->problem_mark.line;
    const char *problem = parser->problem;

    if (parser->error == YAML_MEMORY_ERROR)
        return error_set(error, -ENOMEM, "%s: out of memory", r->path);
    if (parser->error == YAML_READER_ERROR) { /* no mark, only an offset */
        line = 0;
        for (size_t i = 0; i < r->size && i < parser->problem_offset; i++)
            line += r->bytes[i] == '\n';
    }
    return reader_fail(r, (uint32_t)line + 1, error,
                       "bad YAML: %s%s%s; expected 'key: value'%s",
                       problem == NULL ? "cannot be read" : problem,
                       parser->context == NULL ? "" : " ",
                       parser->context == NULL ? "" : parser->context,
                       line_has_tab(r, line) ? "; indent with spaces, not tabs"
                                             : " lines");
}

static const char *event_refusal(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        return "found an alias (*), expected the value itself; write it out";
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor != NULL)
        return "found an anchor (&), expected a plain value; remove it";
    if (tag != NULL)
        return "found a tag (!), expected a plain value; remove it";
    return NULL;
}

static int depth_change(yaml_event_type_t type)
{
    if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT)
        return 1;
    if (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT)
        return -1;
    return 0;
}

/* The document API resolves aliases in silence, so they are looked for among
 * the events first. */
static int check_events(const struct reader *r, struct error *error)
{
    yaml_parser_t parser;
    bool over = false;
    int code = 0, documents = 0, depth = 0;

    if (!yaml_parser_initialize(&parser))
        return error_set(error, -ENOMEM, "%s: out of memory", r->path);
    yaml_parser_set_input_string(&parser, r->bytes, r->size);
    while (code == 0 && !over) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            code = yaml_failed(r, &parser, error);
            break;
        }
        uint32_t line = (uint32_t)event.start_mark.line + 1;
        const char *refusal = event_refusal(&event);
        documents += event.type == YAML_DOCUMENT_START_EVENT;
        depth += depth_change(event.type);
        over = event.type == YAML_STREAM_END_EVENT;
        if (refusal == NULL && documents > 1)
            refusal = "found a second document (---), expected one";
        if (refusal == NULL && depth > DEPTH_MAX)
            refusal = "found too many levels of nesting, expected fewer";
        if (refusal != NULL)
            code = reader_fail(r, line, error, "%s", refusal);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return code;
}

static int load(struct reader *r, struct error *error)
{
    yaml_parser_t parser;
    int code = 0;

    if (!yaml_parser_initialize(&parser))
        return error_set(error, -ENOMEM, "%s: out of memory", r->path);
    yaml_parser_set_input_string(&parser, r->bytes, r->size);
    if (yaml_parser_load(&parser, &r->document))
        r->has_document = true;
    else
        code = yaml_failed(r, &parser, error);
    yaml_parser_delete(&parser);
    if (code == 0 && yaml_document_get_root_node(&r->document) == NULL)
        code = reader_fail(r, 1, error,
                           "found an empty file, expected keys; "
                           "begin with 'version: 1'");
    return code;
}

int reader_open(struct reader **reader, const char *path, struct error *error)
{
    struct reader *r = calloc(1, sizeof *r);
    int code = -ENOMEM;

    *reader = NULL;
    if (r == NULL || (r->path = strdup(path)) == NULL) {
        error_set(error, code, "%s: out of memory", path);
        goto fail;
    }
    if ((code = read_bytes(r, error)) != 0)
        goto fail;
    if ((code = check_events(r, error)) != 0)
        goto fail;
    if ((code = load(r, error)) != 0)
        goto fail;
    *reader = r;
    return 0;
fail:
    reader_close(r);
    return code;
}

void reader_close(struct reader *r)
{
    if (r == NULL)
        return;
    if (r->has_document)
        yaml_document_delete(&r->document);
    free(r->bytes);
    free(r->path);
    free(r);
}

int reader_root(const struct reader *r)
{
    (void)r;
    return 1; /* libyaml numbers nodes from 1, the root first */
}

static yaml_node_t *get(const struct reader *r, int node)
{
    /* libyaml's getter lacks the const, and changes nothing */
    yaml_node_t *found =
        yaml_document_get_node((yaml_document_t *)&r->document, node);

    assert(found != NULL);
    return found;
}

size_t reader_count(const struct reader *r, int list)
{
    const yaml_node_t *n = get(r, list);

    if (n->type != YAML_SEQUENCE_NODE)
        return 0;
    return (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
}

int reader_item(const struct reader *r, int list, size_t i)
{
    assert(i < reader_count(r, list));
    return get(r, list)->data.sequence.items.start[i];
}

bool reader_is_map(const struct reader *r, int node)
{
    return get(r, node)->type == YAML_MAPPING_NODE;
}

bool reader_is_list(const struct reader *r, int node)
{
    return get(r, node)->type == YAML_SEQUENCE_NODE;
}

uint32_t reader_line(const struct reader *r, int node)
{
    return (uint32_t)get(r, node)->start_mark.line + 1;
}

/* Calls `visit` for every scalar at `path` below the node; false ends it. */
static bool walk(const struct reader *r, int node, const char *path,
                 bool (*visit)(yaml_node_t *scalar, void *context),
                 void *context)
{
    yaml_node_t *n = get(r, node);
    const size_t length = strcspn(path, ".");
    bool fine = true;

    if (n->type == YAML_SCALAR_NODE)
        return *path != '\0' || visit(n, context);
    if (n->type == YAML_SEQUENCE_NODE) {
        for (size_t i = 0; fine && i < reader_count(r, node); i++)
            if (*path != '\0')
                fine = walk(r, reader_item(r, node, i), path, visit, context);
        return fine;
    }
    for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
         fine && *path != '\0' && p < n->data.mapping.pairs.top; p++) {
        const char *key = reader_text(r, p->key);
        if (key != NULL && strlen(key) == length &&
            memcmp(key, path, length) == 0)
            fine = walk(r, p->value, path + length + (path[length] == '.'),
                        visit, context);
    }
    return fine;
}

static bool count_one(yaml_node_t *scalar, void *context)
{
    size_t *count = context;

    (void)scalar;
    ++*count;
    return true;
}

size_t reader_places(const struct reader *r, const char *path)
{
    size_t count = 0;

    walk(r, reader_root(r), path, count_one, &count);
    return count;
}

static bool put_one(yaml_node_t *scalar, void *context)
{
    char *copy = strdup(context);

    if (copy == NULL)
        return false;
    free(scalar->data.scalar.value); /* libyaml's own is malloc too */
    scalar->data.scalar.value = (yaml_char_t *)copy;
    scalar->data.scalar.length = strlen(copy);
    scalar->data.scalar.style = YAML_PLAIN_SCALAR_STYLE;
    return true;
}

bool reader_put(struct reader *r, const char *path, const char *text)
{
    char *copy = strdup(text); /* it may be one of those that go */
    bool fine = copy != NULL && walk(r, reader_root(r), path, put_one, copy);

    free(copy);
    return fine;
}

const char *reader_text(const struct reader *r, int node)
{
    const yaml_node_t *n = get(r, node);

    if (n->type != YAML_SCALAR_NODE || n->data.scalar.length == 0)
        return NULL;
    const char *text = (const char *)n->data.scalar.value;
    /* "\0" inside quotes would cut the text short */
    return strlen(text) == n->data.scalar.length ? text : NULL;
}

static const char *plain(const struct reader *r, int node)
{
    const char *text = reader_text(r, node);

    if (text == NULL ||
        get(r, node)->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return NULL;
    return text;
}

int reader_real(double *value, const struct reader *r, int node)
{
    const char *text = plain(r, node);
    char *end;

    if (text == NULL || text[strspn(text, "0123456789+-.eE")] != '\0')
        return -EINVAL;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value) ? 0 : -EINVAL;
}

static int read_integer(uint64_t *value, const struct reader *r, int node)
{
    const char *text = plain(r, node);

    if (text == NULL || text[strspn(text, "0123456789")] != '\0' ||
        (text[0] == '0' && text[1] != '\0'))
        return -EINVAL;
    errno = 0;
    *value = strtoull(text, NULL, 10);
    return errno == 0 ? 0 : -EINVAL;
}

/* What stands there, in a person's words. */
static const char *found(char text[WORD_SIZE], const struct reader *r, int node)
{
    const yaml_node_t *n = get(r, node);

    if (n->type == YAML_MAPPING_NODE)
        return "a mapping";
    if (n->type == YAML_SEQUENCE_NODE)
        return reader_count(r, node) == 0 ? "an empty list" : "a list";
    if (n->data.scalar.length == 0)
        return "nothing";
    snprintf(text, WORD_SIZE, "'%.40s'", (const char *)n->data.scalar.value);
    return text;
}

static void expected(char *text, size_t size, const struct reader_key *key)
{
    size_t used = 0;

    switch (key->kind) {
    case READER_INTEGER:
        snprintf(text, size, "a whole number from %.15g to %.15g", key->low,
                 key->high);
        break;
    case READER_REAL:
        snprintf(text, size, "a number from %g to %g", key->low, key->high);
        break;
    case READER_WORD:
        for (const char *c = key->hint; *c != '\0' && used + 5 < size; c++)
            used += (size_t)snprintf(text + used, size - used, "%s",
                                     *c == '|' ? " or " : (char[]){*c, 0});
        break;
    case READER_MAP:
        snprintf(text, size, "a mapping of keys");
        break;
    case READER_LIST:
        snprintf(text, size, "a list");
        break;
    default:
        snprintf(text, size, "%s", key->hint);
    }
}

static int find_word(uint32_t *place, const char *words, const char *word)
{
    size_t length = strlen(word);

    for (*place = 0; *words != '\0'; (*place)++) {
        size_t size = strcspn(words, "|");
        if (size == length && memcmp(words, word, size) == 0)
            return 0;
        words += size + (words[size] == '|');
    }
    return -EINVAL;
}

static bool texts(const struct reader *r, int node)
{
    size_t count = reader_count(r, node);

    for (size_t i = 0; i < count; i++)
        if (reader_text(r, reader_item(r, node, i)) == NULL)
            return false;
    return count > 0;
}

/* Returns whether the node is what the key wants. */
static bool take(struct reader_value *value, const struct reader *r, int node,
                 const struct reader_key *key)
{
    switch (key->kind) {
    case READER_TEXT:
        return (value->text = reader_text(r, node)) != NULL;
    case READER_INTEGER:
        return read_integer(&value->integer, r, node) == 0 &&
               (double)value->integer >= key->low &&
               (double)value->integer <= key->high;
    case READER_REAL:
        return reader_real(&value->real, r, node) == 0 &&
               value->real >= key->low && value->real <= key->high;
    case READER_WORD:
        value->text = reader_text(r, node);
        return value->text != NULL &&
               find_word(&value->word, key->hint, value->text) == 0;
    case READER_TEXTS:
        return texts(r, node);
    case READER_MAP:
        return reader_is_map(r, node);
    case READER_LIST:
        return reader_is_list(r, node);
    default:
        return true;
    }
}

static size_t edit_distance(const char *a, const char *b)
{
    size_t row[WORD_SIZE + 1], m = strlen(b);

    assert(m <= WORD_SIZE);
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < m; j++) {
            size_t best = corner + (a[i] != b[j]);
            corner = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (corner + 1 < best)
                best = corner + 1;
            row[j + 1] = best;
        }
    }
    return row[m];
}

const char *reader_nearest(const char *word, const char *const *names,
                           size_t count)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL || strlen(names[i]) > WORD_SIZE)
            continue;
        size_t distance = edit_distance(word, names[i]);
        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    /* up to a third of the letters, so that short keys do not attract all */
    return least <= 1 + strlen(word) / 3 && least < strlen(word) ? nearest
                                                                 : NULL;
}

static int unknown_key(const struct reader *r, int node, const char *name,
                       const struct reader_key *keys, size_t count,
                       const char *where, struct error *error)
{
    const char *names[KEYS_MAX];
    char list[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        names[i] = keys[i].kind == READER_LATER ? NULL : keys[i].name;
        if (names[i] != NULL && used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                     used == 0 ? "" : ", ", names[i]);
    }
    const char *nearest = reader_nearest(name, names, count);
    if (nearest != NULL)
        return reader_fail(r, reader_line(r, node), error,
                           "unknown key '%.40s', did you mean '%s'?", name,
                           nearest);
    return reader_fail(r, reader_line(r, node), error,
                       "unknown key '%.40s', expected in %s one of: %s", name,
                       where, list);
}

static int read_pair(struct reader_value *values, const struct reader *r,
                     const yaml_node_pair_t *pair,
                     const struct reader_key *keys, size_t count,
                     const char *where, struct error *error)
{
    const char *name = reader_text(r, pair->key);
    uint32_t line = reader_line(r, pair->key);
    char word[WORD_SIZE], wanted[256];
    size_t i = 0;

    if (name == NULL)
        return reader_fail(r, line, error, "found %s, expected a key of %s",
                           found(word, r, pair->key), where);
    while (i < count && strcmp(keys[i].name, name) != 0)
        i++;
    if (i == count)
        return unknown_key(r, pair->key, name, keys, count, where, error);
    if (values[i].line != 0)
        return reader_fail(r, line, error,
                           "found the key '%s' a second time in %s, expected "
                           "it once (line %u); remove one",
                           name, where, values[i].line);
    if (keys[i].kind == READER_LATER)
        return reader_fail(r, line, error,
                           "found '%s', which is not in this version: %s", name,
                           keys[i].hint);
    bool empty = !reader_is_map(r, pair->value) &&
                 !reader_is_list(r, pair->value) &&
                 reader_text(r, pair->value) == NULL;
    if (!take(&values[i], r, pair->value, &keys[i])) {
        expected(wanted, sizeof wanted, &keys[i]);
        /* libyaml puts what is not there on a later line */
        return reader_fail(r, empty ? line : reader_line(r, pair->value), error,
                           "%s: found %s, expected %s", name,
                           found(word, r, pair->value), wanted);
    }
    values[i].node = pair->value;
    values[i].line = reader_line(r, pair->value);
    return 0;
}

int reader_map(struct reader_value *values, const struct reader *r, int node,
               const struct reader_key *keys, size_t count, const char *where,
               struct error *error)
{
    const yaml_node_t *map = get(r, node);
    char word[WORD_SIZE], wanted[256];

    assert(count <= KEYS_MAX);
    for (size_t i = 0; i < count; i++)
        values[i] = (struct reader_value){0};
    if (map->type != YAML_MAPPING_NODE)
        return reader_fail(r, reader_line(r, node), error,
                           "%s: found %s, expected a mapping of keys", where,
                           found(word, r, node));
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top; pair++) {
        int code = read_pair(values, r, pair, keys, count, where, error);
        if (code != 0)
            return code;
    }
    for (size_t i = 0; i < count; i++) {
        if (!keys[i].required || values[i].line != 0)
            continue;
        expected(wanted, sizeof wanted, &keys[i]);
        return reader_fail(r, reader_line(r, node), error,
                           "found no key '%s' in %s, expected %s; add it",
                           keys[i].name, where, wanted);
    }
    return 0;
}
