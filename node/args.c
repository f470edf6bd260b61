#include "node/args.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node/reader.h"

enum { FLAGS_MAX = 32 };

int args_misuse(const char *command, const char *format, ...)
{
    va_list arguments;

    fputs("starling: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; `%s --help` shows how\n", command);
    return ARGS_MISUSE;
}

static const struct args_flag *find(const struct args *args, const char *text,
                                    size_t size)
{
    for (size_t i = 0; i < args->flag_count; i++)
        if (strlen(args->flags[i].name) == size &&
            memcmp(args->flags[i].name, text, size) == 0)
            return &args->flags[i];
    return NULL;
}

static int unknown(const struct args *args, const char *text)
{
    const char *names[FLAGS_MAX], *nearest;

    assert(args->flag_count <= FLAGS_MAX);
    for (size_t i = 0; i < args->flag_count; i++)
        names[i] = args->flags[i].name;
    nearest = reader_nearest(text, names, args->flag_count);
    if (nearest != NULL)
        return args_misuse(args->command, "unknown flag %s (did you mean %s?)",
                           text, nearest);
    return args_misuse(args->command, "unknown flag %s", text);
}

static int take_operand(const struct args *args, const char *text)
{
    if (args->operand == NULL || *args->operand != NULL)
        return args_misuse(args->command, "'%s' is one argument too many",
                           text);
    *args->operand = text;
    return 0;
}

int args_parse(const struct args *args, char *const *arguments, int count)
{
    for (int i = 0; i < count; i++) {
        const char *text = arguments[i];
        const char *equals = strchr(text, '=');
        const struct args_flag *flag;
        int code;

        if (text[0] != '-') {
            if ((code = take_operand(args, text)) != 0)
                return code;
            continue;
        }
        flag = find(args, text,
                    equals != NULL ? (size_t)(equals - text) : strlen(text));
        if (flag == NULL)
            return unknown(args, text);
        if (flag->set != NULL && equals != NULL)
            return args_misuse(args->command, "%s takes no value", flag->name);
        if (flag->set != NULL) {
            *flag->set = true;
            continue;
        }
        if (equals == NULL && i + 1 == count)
            return args_misuse(args->command, "%s needs a value", flag->name);
        *flag->value = equals != NULL ? equals + 1 : arguments[++i];
    }
    return 0;
}
