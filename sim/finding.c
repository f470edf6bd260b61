#include "sim/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void finding_say(struct finding *f, const char *format, ...)
{
    va_list arguments;

    if (f->text[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(f->text, sizeof f->text, format, arguments);
    va_end(arguments);
}

void *finding_grown(void *list, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return list;
    list = realloc(list, (count == 0 ? 1 : 2 * count) * size);
    if (list == NULL)
        abort(); /* a simulation has nobody to tell */
    return list;
}
