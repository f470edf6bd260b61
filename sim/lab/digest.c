#include "sim/lab/digest.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

bool digest_file(unsigned char hash[DIGEST_BYTES], const char *path)
{
    unsigned char chunk[65536];
    crypto_generichash_state state;
    struct stat about;
    FILE *file = fopen(path, "rb");
    size_t size;

    if (file == NULL)
        return false;
    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode)) {
        fclose(file);
        return false;
    }
    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        crypto_generichash_update(&state, chunk, size);
    fclose(file);
    crypto_generichash_final(&state, hash, DIGEST_BYTES);
    return true;
}

void digest_experiment(unsigned char hash[DIGEST_BYTES],
                       const struct experiment *e)
{
    static const char version[] = "lab 4, starling " STARLING_VERSION;
    unsigned char part[DIGEST_BYTES];
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)version,
                              sizeof version);
    if (digest_file(part, e->path))
        crypto_generichash_update(&state, part, sizeof part);
    for (size_t i = 0; i < e->text_count; i++)
        if (digest_file(part, e->texts[i]))
            crypto_generichash_update(&state, part, sizeof part);
    crypto_generichash_final(&state, hash, DIGEST_BYTES);
}
