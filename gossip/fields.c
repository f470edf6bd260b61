#include "gossip/fields.h"

#include <string.h>

static const struct gossip_field *find(const struct gossip_field *fields,
                                       size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static const char *lacking(const struct gossip_field *fields, size_t count,
                           const struct gossip_field *others,
                           size_t other_count)
{
    for (size_t i = 0; i < count; i++) {
        const struct gossip_field *f =
            find(others, other_count, fields[i].name);
        if (f == NULL || memcmp(f->hash, fields[i].hash, sizeof f->hash) != 0)
            return fields[i].name;
    }
    return NULL;
}

const char *fields_difference(const struct gossip_field *fields, size_t count,
                              const struct gossip_field *others,
                              size_t other_count)
{
    const char *name = lacking(fields, count, others, other_count);

    return name != NULL ? name : lacking(others, other_count, fields, count);
}
