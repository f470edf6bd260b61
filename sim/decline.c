#include "sim/decline.h"

#include <string.h>

#include "sim/stage.h"

/* The node reads OUT/SITE/rows.csv; the person has the file of the study. */
static void name_source(struct error *error, const struct study_site *site,
                        const char *out)
{
    char path[STAGE_PATH_SIZE];
    struct error old = *error;

    stage_path(path, out, site->name, "rows.csv");
    const char *at = strstr(old.text, path);
    if (at != NULL)
        error_set(error, 0, "%.*s%s%s", (int)(at - old.text), old.text,
                  site->data, at + strlen(path));
}

/* Who declines says why; the others only know who did. */
void decline_hear(struct decline *decline, const struct fleet_event *event,
                  const struct study *study, const char *out)
{
    const struct study_site *site = &study->sites[event->site];
    const json_t *names = json_object_get(event->body, "members");
    const char *text = json_string_value(json_object_get(event->body, "text"));
    bool own = false;

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        own = own || (name != NULL && strcmp(name, site->name) == 0);
    }
    if (text == NULL || decline->own || (!own && decline->why.text[0] != '\0'))
        return;
    decline->own = own;
    error_set(&decline->why, 0, "%s", text);
    name_source(&decline->why, site, out);
}
