#include "sim/notes.h"

#include <stdio.h>
#include <string.h>

#include "sim/trace.h"

bool notes_take(struct notes *notes, const char *text, uint32_t site)
{
    size_t i = 0;

    if (strstr(text, "this site") == NULL)
        return false;
    while (i < notes->count && strcmp(notes->local[i].text, text) != 0)
        i++;
    if (i == NOTES_MAX)
        return false;
    if (i == notes->count) {
        notes->count++;
        snprintf(notes->local[i].text, sizeof notes->local[i].text, "%s", text);
    }
    notes->local[i].sites |= UINT64_C(1) << site;
    return true;
}

void notes_line(char line[NOTES_LINE_SIZE], const struct notes *notes,
                size_t index, const struct study *study)
{
    char names[NOTES_LINE_SIZE - NOTES_TEXT_SIZE - 2];

    trace_names(names, sizeof names, study, notes->local[index].sites);
    snprintf(line, NOTES_LINE_SIZE, "%s: %s", names, notes->local[index].text);
}
