#include "node/init.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/identity.h"
#include "node/args.h"
#include "node/keyfile.h"
#include "node/passphrase.h"

static const char help[] =
    "starling init [--out FILE] [--passphrase-fd N | --no-passphrase]\n"
    "\n"
    "Makes this node's keys and prints their public part, which is the site's\n"
    "key: in the study file.\n"
    "\n"
    "  --out FILE          where to, " INIT_KEYS " if not given; never\n"
    "                      overwritten\n"
    "  --passphrase-fd N   read the passphrase from file descriptor N instead\n"
    "                      of asking for it\n"
    "  --no-passphrase     leave the file unsealed (tests)\n"
    "\n"
    "example: starling init --out va.keys\n";

static int make(const char *path, const char *passphrase)
{
    uint8_t seed[PRG_SEED_BYTES];
    char text[IDENTITY_TEXT_SIZE];
    struct identity identity;
    struct error error;
    struct prg prg;
    int code;

    randombytes_buf(seed, sizeof seed);
    prg_seed(&prg, seed);
    identity_generate(&identity, &prg);
    identity_print(text, &identity.open);
    code = keyfile_write(path, &identity, passphrase, &error);
    identity_wipe(&identity);
    prg_wipe(&prg);
    sodium_memzero(seed, sizeof seed);
    if (code != 0) {
        fprintf(stderr, "starling: %s\n", error.text);
        return 1;
    }
    printf("key: %s\n", text);
    fprintf(stderr,
            "%s holds this node's secrets%s; the line above goes into the "
            "study file\n",
            path, passphrase == NULL ? ", not sealed" : "");
    return 0;
}

static int seal(const char *path, int fd)
{
    char passphrase[PASSPHRASE_SIZE];
    struct error error;
    int status = 1;

    if (access(path, F_OK) == 0)
        fprintf(stderr,
                "starling: %s: is there already and is not overwritten; name "
                "another with --out\n",
                path);
    else if (passphrase_get(passphrase, fd, true, &error) != 0)
        fprintf(stderr, "starling: %s\n", error.text);
    else
        status = make(path, passphrase);
    sodium_memzero(passphrase, sizeof passphrase);
    return status;
}

int init_main(int count, char *const *arguments)
{
    const char *path = INIT_KEYS, *fd_text = NULL;
    bool plain = false, wants_help = false;
    const struct args_flag flags[] = {
        {"--out", &path, NULL},
        {"--passphrase-fd", &fd_text, NULL},
        {"--no-passphrase", NULL, &plain},
        {"--help", NULL, &wants_help},
    };
    const struct args args = {"starling init", flags,
                              sizeof flags / sizeof *flags, NULL};
    struct error error;
    int fd, status = args_parse(&args, arguments, count);

    if (status != 0)
        return status;
    if (wants_help) {
        fputs(help, stdout);
        return 0;
    }
    if (plain && fd_text != NULL)
        return args_misuse("starling init",
                           "--no-passphrase and --passphrase-fd exclude each "
                           "other");
    if (passphrase_fd(&fd, fd_text, &error) != 0)
        return args_misuse("starling init", "%s", error.text);
    return plain ? make(path, NULL) : seal(path, fd);
}
