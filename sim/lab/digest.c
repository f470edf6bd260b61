#include "sim/lab/digest.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int digest_file(unsigned char hash[DIGEST_BYTES], const char *path,
                struct error *error)
{
    unsigned char chunk[65536];
    crypto_generichash_state state;
    struct stat about;
    FILE *file = fopen(path, "rb");
    size_t size;
    int code = 1;

    if (file == NULL)
        return 0;
    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode)) {
        fclose(file);
        return 0;
    }
    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        crypto_generichash_update(&state, chunk, size);
    if (ferror(file) != 0)
        code = error_set(error, -EIO,
                         "%s: %s; expected a file that can be read to its end",
                         path, strerror(errno));
    fclose(file);
    crypto_generichash_final(&state, hash, DIGEST_BYTES);
    return code;
}

static int add_file(crypto_generichash_state *state, const char *path,
                    struct error *error)
{
    unsigned char part[DIGEST_BYTES];
    int code = digest_file(part, path, error);

    if (code == 1)
        crypto_generichash_update(state, part, sizeof part);
    return code < 0 ? code : 0;
}

int digest_experiment(unsigned char hash[DIGEST_BYTES],
                      const struct experiment *e, struct error *error)
{
    static const char version[] = "lab 4, starling " STARLING_VERSION;
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)version,
                              sizeof version);
    int code = add_file(&state, e->path, error);
    for (size_t i = 0; code == 0 && i < e->text_count; i++)
        code = add_file(&state, e->texts[i], error);
    crypto_generichash_final(&state, hash, DIGEST_BYTES);
    return code;
}
