#include "sim/charter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

static const char *text_of(yaml_document_t *document, int node)
{
    return (const char *)yaml_document_get_node(document, node)
        ->data.scalar.value;
}

/* The value under `key` of a mapping, or 0. */
static int value_of(yaml_document_t *document, int map, const char *key)
{
    yaml_node_t *node = yaml_document_get_node(document, map);
    yaml_node_pair_t *pair = node->data.mapping.pairs.start;

    for (; pair < node->data.mapping.pairs.top; pair++)
        if (strcmp(text_of(document, pair->key), key) == 0)
            return pair->value;
    return 0;
}

static void drop(yaml_document_t *document, int map, const char *key)
{
    yaml_node_t *node = yaml_document_get_node(document, map);
    yaml_node_pair_t *kept = node->data.mapping.pairs.start;
    yaml_node_pair_t *pair = kept;

    for (; pair < node->data.mapping.pairs.top; pair++)
        if (strcmp(text_of(document, pair->key), key) != 0)
            *kept++ = *pair;
    node->data.mapping.pairs.top = kept;
}

static int add_text(yaml_document_t *document, const char *text)
{
    return yaml_document_add_scalar(document, NULL, (const yaml_char_t *)text,
                                    (int)strlen(text), YAML_ANY_SCALAR_STYLE);
}

static bool put(yaml_document_t *document, int map, const char *key, int value)
{
    int name = add_text(document, key);

    drop(document, map, key);
    return name != 0 && value != 0 &&
           yaml_document_append_mapping_pair(document, map, name, value);
}

static bool put_sites(yaml_document_t *document, const struct study *study,
                      const struct charter_site *sites)
{
    int list = value_of(document, 1, "sites");
    bool fine = true;

    for (uint32_t i = 0; i < study->site_count; i++) {
        char key[IDENTITY_TEXT_SIZE];
        int site = yaml_document_get_node(document, list)
                       ->data.sequence.items.start[i];
        drop(document, site, "data");
        drop(document, site, "rows");
        identity_print(key, &sites[i].key);
        fine = fine &&
               put(document, site, "address",
                   add_text(document, sites[i].address)) &&
               put(document, site, "key", add_text(document, key));
    }
    return fine;
}

static bool put_features(yaml_document_t *document,
                         const struct task_spec *task)
{
    int map = value_of(document, 1, "task");
    int list =
        yaml_document_add_sequence(document, NULL, YAML_FLOW_SEQUENCE_STYLE);
    bool fine = list != 0;

    if (task->feature_count == 0)
        return true;
    for (size_t i = 0; fine && i < task->feature_count; i++) {
        /* Quoted: a column may be called anything. */
        int item = yaml_document_add_scalar(
            document, NULL, (const yaml_char_t *)task->features[i],
            (int)strlen(task->features[i]), YAML_DOUBLE_QUOTED_SCALAR_STYLE);
        fine = item != 0 &&
               yaml_document_append_sequence_item(document, list, item);
    }
    return fine && put(document, map, "features", list);
}

static bool load(yaml_document_t *document, FILE *file)
{
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_file(&parser, file);
    bool fine = yaml_parser_load(&parser, document);
    yaml_parser_delete(&parser);
    return fine;
}

/* Takes the document. */
static bool dump(yaml_document_t *document, FILE *file)
{
    yaml_emitter_t emitter;

    if (!yaml_emitter_initialize(&emitter)) {
        yaml_document_delete(document);
        return false;
    }
    yaml_emitter_set_output_file(&emitter, file);
    yaml_emitter_set_width(&emitter, -1);
    yaml_emitter_set_unicode(&emitter, 1);
    bool fine = yaml_emitter_open(&emitter) &&
                yaml_emitter_dump(&emitter, document) &&
                yaml_emitter_close(&emitter);
    yaml_emitter_delete(&emitter);
    return fine;
}

int charter_write(const char *to, const struct study *study,
                  const struct charter_site *sites, struct error *error)
{
    yaml_document_t document;
    FILE *from = fopen(study->path, "rb");

    if (from == NULL)
        return error_set(error, -errno, "%s: %s", study->path, strerror(errno));
    bool fine = load(&document, from);
    fclose(from);
    if (!fine)
        return error_set(error, -EINVAL,
                         "%s: cannot be read again; leave it "
                         "alone while the cluster starts",
                         study->path);
    drop(&document, 1, "network");
    drop(&document, 1, "seed");
    fine = put_sites(&document, study, sites) &&
           put_features(&document, &study->task);
    FILE *file = fopen(to, "wb");
    if (file == NULL) {
        int code = -errno;
        yaml_document_delete(&document);
        return error_set(error, code, "%s: %s", to, strerror(-code));
    }
    fine = dump(&document, file) && fine;
    fine = fclose(file) == 0 && fine;
    return fine ? 0 : error_set(error, -EIO, "%s: could not be written", to);
}
