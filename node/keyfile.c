#include "node/keyfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/aead.h"

enum {
    SECRETS_BYTES = IDENTITY_SECRET_BYTES + X25519_BYTES,
    PUBLIC_BYTES = IDENTITY_KEY_BYTES + X25519_BYTES,
    SEALED_BYTES = AEAD_NONCE_BYTES + SECRETS_BYTES + AEAD_TAG_BYTES
};

static const char magic[16] = "starling keys 1\n";

/* The whole file; with `sealed` 0 the box is under an all-zero key: it still
 * tells a damaged file from a good one. */
struct image {
    char magic[16];
    uint8_t sealed;
    uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t open[PUBLIC_BYTES];
    uint8_t box[SEALED_BYTES];
};

static int derive(uint8_t key[AEAD_KEY_BYTES], const struct image *image,
                  const char *passphrase)
{
    memset(key, 0, AEAD_KEY_BYTES);
    if (!image->sealed)
        return 0;
    assert(passphrase != NULL);
    return crypto_pwhash(key, AEAD_KEY_BYTES, passphrase, strlen(passphrase),
                         image->salt, crypto_pwhash_OPSLIMIT_MODERATE,
                         crypto_pwhash_MEMLIMIT_MODERATE,
                         crypto_pwhash_ALG_ARGON2ID13);
}

static int store(const char *path, const struct image *image,
                 struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return error_set(error, -EEXIST,
                         "%s: is there already and is not overwritten; choose "
                         "another name with --out, or move it away",
                         path);
    if (fd < 0)
        return error_set(error, -errno, "%s: cannot be made: %s", path,
                         strerror(errno));
    ssize_t written = write(fd, image, sizeof *image);
    if (written == (ssize_t)sizeof *image && fsync(fd) == 0 && close(fd) == 0)
        return 0;
    int code = written < 0 ? errno : ENOSPC;
    close(fd);
    unlink(path);
    return error_set(error, -code, "%s: cannot be written: %s", path,
                     strerror(code));
}

int keyfile_write(const char *path, const struct identity *identity,
                  const char *passphrase, struct error *error)
{
    struct image image = {.sealed = passphrase != NULL};
    uint8_t key[AEAD_KEY_BYTES], secrets[SECRETS_BYTES], seed[PRG_SEED_BYTES];
    struct prg prg;
    int status;

    memcpy(image.magic, magic, sizeof image.magic);
    randombytes_buf(image.salt, sizeof image.salt);
    memcpy(image.open, identity->open.sign, IDENTITY_KEY_BYTES);
    memcpy(image.open + IDENTITY_KEY_BYTES, identity->open.link, X25519_BYTES);
    if (derive(key, &image, passphrase) != 0)
        return error_set(error, -ENOMEM,
                         "%s: not enough memory to seal the keys (256 MiB)",
                         path);
    randombytes_buf(seed, sizeof seed);
    prg_seed(&prg, seed);
    memcpy(secrets, identity->sign_secret, IDENTITY_SECRET_BYTES);
    memcpy(secrets + IDENTITY_SECRET_BYTES, identity->link_secret,
           X25519_BYTES);
    aead_box(image.box, secrets, sizeof secrets, image.open, sizeof image.open,
             key, &prg);
    status = store(path, &image, error);
    sodium_memzero(key, sizeof key);
    sodium_memzero(secrets, sizeof secrets);
    sodium_memzero(seed, sizeof seed);
    prg_wipe(&prg);
    return status;
}

static int load(struct image *image, const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char more;

    if (fd < 0)
        return error_set(
            error, -errno, "%s: cannot be read: %s; %s", path, strerror(errno),
            errno == ENOENT ? "make this site's keys with `starling init`"
                            : "check the path, and who owns it");
    if (fstat(fd, &status) == 0 && (status.st_mode & 077) != 0) {
        close(fd);
        return error_set(error, -EACCES,
                         "%s: others may read or write it (mode %03o), "
                         "expected its owner alone; run chmod 600 %s",
                         path, (unsigned)status.st_mode & 0777, path);
    }
    ssize_t found = read(fd, image, sizeof *image);
    ssize_t rest = found == (ssize_t)sizeof *image ? read(fd, &more, 1) : 0;
    close(fd);
    if (found != (ssize_t)sizeof *image || rest != 0 || image->sealed > 1 ||
        memcmp(image->magic, magic, sizeof magic) != 0)
        return error_set(error, -EINVAL,
                         "%s: is not a key file of this version; give the file "
                         "that `starling init` made",
                         path);
    return 0;
}

int keyfile_sealed(bool *sealed, const char *path, struct error *error)
{
    struct image image = {.sealed = 0};
    int status = load(&image, path, error);

    *sealed = status == 0 && image.sealed;
    return status;
}

int keyfile_read(struct identity *identity, const char *path,
                 const char *passphrase, struct error *error)
{
    struct image image = {.sealed = 0};
    uint8_t key[AEAD_KEY_BYTES], secrets[SECRETS_BYTES];
    int status = load(&image, path, error);

    if (status != 0)
        return status;
    if (image.sealed && passphrase == NULL)
        return error_set(error, -EACCES,
                         "%s: is sealed; its passphrase is needed", path);
    if (derive(key, &image, passphrase) != 0)
        return error_set(error, -ENOMEM,
                         "%s: not enough memory to open the keys (256 MiB)",
                         path);
    status = aead_unbox(secrets, image.box, sizeof image.box, image.open,
                        sizeof image.open, key);
    sodium_memzero(key, sizeof key);
    if (status != 0)
        return error_set(error, -EACCES, "%s: %s", path,
                         image.sealed ? "wrong passphrase, or damaged file"
                                      : "the file is damaged");
    memcpy(identity->open.sign, image.open, IDENTITY_KEY_BYTES);
    memcpy(identity->open.link, image.open + IDENTITY_KEY_BYTES, X25519_BYTES);
    memcpy(identity->sign_secret, secrets, IDENTITY_SECRET_BYTES);
    memcpy(identity->link_secret, secrets + IDENTITY_SECRET_BYTES,
           X25519_BYTES);
    sodium_memzero(secrets, sizeof secrets);
    return 0;
}
