/*
 * Stands between a process and the C library (LD_PRELOAD) and keeps a copy of what the process made
 * durable below one directory: at every successful sync of a file its bytes, at every sync of a directory
 * the names in it. A disk may keep more than that over a power loss, but it need not.
 *
 * A file or directory is known by its inode and the time of its birth, since inodes are used again:
 *
 *   <inode>-<birth>    bytes of a file, or of a directory one line per name: <inode>-<birth> <name>
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES = 64 };

static int watches(int descriptor) {
  const char *directory = getenv("SYNCED_DIRECTORY");
  char link[40], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (directory == NULL || length < 0) return 0;
  path[length] = '\0';
  size_t prefix = strlen(directory);
  return strncmp(path, directory, prefix) == 0 && (path[prefix] == '/' || path[prefix] == '\0');
}

/* The type of what lies there; 0 when it is gone. */
static unsigned key_of(int at, const char *name, char *key) {
  struct statx found;
  int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  if (statx(at, name, flags, STATX_TYPE | STATX_INO | STATX_BTIME, &found) != 0) return 0;
  long long birth = found.stx_btime.tv_sec * 1000000000LL + found.stx_btime.tv_nsec;
  snprintf(key, KEY_BYTES, "%llu-%lld", (unsigned long long)found.stx_ino, birth);
  return found.stx_mode & S_IFMT;
}

static void keep_names(int descriptor, FILE *copy) {
  DIR *names = fdopendir(openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (names == NULL) abort();
  for (struct dirent *entry = readdir(names); entry != NULL; entry = readdir(names)) {
    char key[KEY_BYTES];
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (key_of(dirfd(names), entry->d_name, key) != 0) fprintf(copy, "%s %s\n", key, entry->d_name);
  }
  closedir(names);
}

static void keep_bytes(int descriptor, FILE *copy) {
  char link[40], bytes[65536];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  int source = open(link, O_RDONLY | O_CLOEXEC);
  if (source < 0) abort();
  for (ssize_t count = read(source, bytes, sizeof bytes); count > 0; count = read(source, bytes, sizeof bytes))
    fwrite(bytes, 1, (size_t)count, copy);
  close(source);
}

static void keep(int descriptor) {
  const char *copies = getenv("SYNCED_COPIES");
  char key[KEY_BYTES], path[PATH_MAX], unfinished[PATH_MAX + 32];
  if (copies == NULL || !watches(descriptor)) return;
  unsigned type = key_of(descriptor, "", key);
  snprintf(path, sizeof path, "%s/%s", copies, key);
  snprintf(unfinished, sizeof unfinished, "%s.%d", path, (int)gettid());
  FILE *copy = fopen(unfinished, "we");
  if (copy == NULL) abort();
  if (type == S_IFDIR) keep_names(descriptor, copy);
  else keep_bytes(descriptor, copy);
  if (fclose(copy) != 0 || rename(unfinished, path) != 0) abort();
}

#define SYNCING(name)                                                        \
  int name(int descriptor) {                                                 \
    int status = ((int (*)(int))dlsym(RTLD_NEXT, #name))(descriptor);        \
    int saved = errno;                                                       \
    if (status == 0) keep(descriptor);                                       \
    errno = saved;                                                           \
    return status;                                                           \
  }
SYNCING(fsync)
SYNCING(fdatasync)
