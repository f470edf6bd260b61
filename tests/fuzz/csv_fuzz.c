/* libFuzzer: any bytes as a site's rows. The first byte chooses what the study
 * asks of them, the rest is the file. What is taken holds only what a task may
 * be given; what is refused is refused in one line that names the file. Numbers
 * are the same as strtod's. */

#include <math.h>

#include "fuzz/file.h"
#include "model/dataset.h"
#include "model/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOGISTIC = 1, FILTER = 2, SPLIT = 4, CODED = 8 };

static char a[] = "a", b[] = "b", c[] = "c", y[] = "y", one[] = "1",
            two[] = "2.0", letter[] = "x", logistic[] = "logistic",
            linear[] = "linear", newton[] = "newton", set[] = "set",
            train[] = "train", test[] = "test";
static char *features[] = {a, b}, *levels[] = {one, two, letter};
static struct task_categorical coded = {c, levels, 3};

static struct task_spec spec_of(uint8_t choice)
{
    struct task_spec spec = {
        .kind = (choice & LOGISTIC) != 0 ? logistic : linear,
        .method = newton,
        .target = y,
        .features = features,
        .feature_count = 2,
        .missing = (enum task_missing)((choice >> 4) % 3),
        .split_column = (choice & SPLIT) != 0 ? set : NULL,
        .split_train = train,
        .split_test = test,
    };

    spec.categorical = (choice & CODED) != 0 ? &coded : NULL;
    spec.categorical_count = (choice & CODED) != 0 ? 1 : 0;
    return spec;
}

static void check_rows(const struct dataset *d, const struct task_spec *spec)
{
    size_t trained = 0;

    file_must(d->column_count == 2 + 2 * spec->categorical_count,
              "the columns that the study names");
    for (size_t i = 0; i < d->column_count; i++)
        file_must(d->names[i] != NULL, "every column has a name");
    for (size_t i = 0; i < d->row_count * d->column_count; i++)
        file_must(isfinite(d->x[i]) ||
                      (isnan(d->x[i]) && spec->missing == TASK_MISSING_MEAN),
                  "finite features, or missing ones where they may be");
    for (size_t i = 0; i < d->row_count; i++) {
        file_must(isfinite(d->y[i]), "a finite target");
        file_must(spec->kind[1] == 'i' || d->y[i] == 0 || d->y[i] == 1,
                  "a class is 0 or 1");
        trained += d->test[i] == 0;
    }
    file_must(trained > 0, "a row to train on");
}

static void read_rows(const char *path, uint8_t choice)
{
    const struct dataset_filter filter = {
        .column = (choice & FILTER) != 0 ? "site" : NULL,
        .equals = "here",
        .optional = choice >> 7,
    };
    struct task_spec spec = spec_of(choice);
    struct dataset *d = NULL;
    struct error error = {""};
    int code = dataset_read(&d, path, &filter, &spec, &error);

    file_must((code == 0) == (d != NULL), "rows or an error");
    if (code == 0)
        check_rows(d, &spec);
    else
        file_refused(code, &error, path);
    dataset_free(d);
}

static void read_header(const char *path)
{
    struct error error = {""};
    char **names = NULL;
    size_t count = 0;
    int code = dataset_header(&names, &count, path, &error);

    if (code != 0)
        file_refused(code, &error, path);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static void read_number(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1), *end = NULL;
    double value = NAN;

    file_must(text != NULL, "memory");
    memcpy(text, data, size);
    if (number_parse(&value, text)) {
        double other = strtod(text, &end);
        file_must(*end == '\0' && memcmp(&value, &other, sizeof value) == 0,
                  "a number is what strtod says");
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct file rows;

    if (size < 1)
        return 0;
    const char *path = file_fill(&rows, data + 1, size - 1);
    read_rows(path, data[0]);
    read_header(path);
    read_number(data + 1, size - 1);
    return 0;
}
