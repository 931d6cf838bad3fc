/*
 * Stands between a process and the C library (LD_PRELOAD) and makes the file system below one directory
 * fail on command: the N-th call kills the process, fails once, fails from then on, or takes long.
 *
 * The command lies in a file of 32-bit integers that the test writes and this library maps, so a test
 * can change it, and read the count, while the process runs. Each call is a line in a log:
 *
 *   <number, 0 when it was not counted> <kind> <what was done to it> <path>
 *
 * A descriptor is asked for its path at every call (/proc/self/fd), so that nothing has to be tracked and
 * a file is known by the name that it has now. Counting is over all threads.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPEN = 1, WRITE = 2, SYNC = 4, RENAME = 8, LINK = 16, UNLINK = 32, TRUNCATE = 64, MKDIR = 128 };
enum action { NOTHING = 0, KILL = 1, FAIL_ONCE = 2, FAIL_ON = 3 };

/* The same order as CONTROL in helpers/fault-injector.ts. */
struct control {
  int count;
  int at;
  int action;
  int error;
  int kinds;
  int delay_ms;
  int delayed_kinds;
};

static struct control idle;
static volatile struct control *control = &idle;
static const char *directory;
static size_t directory_length;
static int log_descriptor = -1;

static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_open)(const char *, int, ...);

/* The first process that this library was loaded into; those that it starts inherit it. */
static pid_t root;

__attribute__((constructor)) static void prepare(void) {
  real_write = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
  const char *parent = getenv("FAULT_ROOT");
  root = parent == NULL ? getpid() : (pid_t)atol(parent);
  char own[32];
  snprintf(own, sizeof own, "%d", (int)root);
  setenv("FAULT_ROOT", own, 1);
  directory = getenv("FAULT_DIRECTORY");
  const char *control_file = getenv("FAULT_CONTROL");
  const char *log_file = getenv("FAULT_LOG");
  if (directory == NULL || control_file == NULL || log_file == NULL) return;
  directory_length = strlen(directory);
  int descriptor = real_open(control_file, O_RDWR | O_CLOEXEC);
  log_descriptor = real_open(log_file, O_WRONLY | O_APPEND | O_CLOEXEC);
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (descriptor < 0 || log_descriptor < 0 || mapped == MAP_FAILED) abort();
  control = mapped;
  close(descriptor);
}

static int watches(const char *path) {
  return directory_length > 0 && path != NULL && strncmp(path, directory, directory_length) == 0 &&
         (path[directory_length] == '/' || path[directory_length] == '\0');
}

static const char *path_of(int descriptor, char *buffer) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  buffer[length < 0 ? 0 : length] = '\0';
  return buffer;
}

static void note(int number, const char *kind, const char *done, const char *path) {
  char line[PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%d %s %s %s\n", number, kind, done, path);
  if (real_write(log_descriptor, line, (size_t)length) < 0) abort();
}

static void wait_ms(int milliseconds) {
  struct timespec time = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

/* What is to be done to this call: KILL, FAIL_ONCE (errno is set) or NOTHING. */
static enum action judge(enum kind kind, const char *name, const char *path) {
  if (control->delay_ms > 0 && (control->delayed_kinds & kind) != 0) wait_ms(control->delay_ms);
  int counted = (control->kinds & kind) != 0;
  int number = counted ? __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST) : 0;
  int at = control->at, action = control->action;
  int due = counted && at > 0 && (action == FAIL_ON ? number >= at : number == at);
  if (!due || action == NOTHING) {
    note(number, name, "ok", path);
    return NOTHING;
  }
  if (action == KILL) {
    note(number, name, "killed", path);
    return KILL;
  }
  note(number, name, "failed", path);
  errno = control->error;
  return FAIL_ONCE;
}

/* The upkeep process takes the service with it, as a machine that goes down does. */
static void end_process(void) {
  kill(root, SIGKILL);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* For calls of which a kill leaves nothing. */
static int fails(enum kind kind, const char *name, const char *path) {
  enum action action = judge(kind, name, path);
  if (action == KILL) end_process();
  return action == FAIL_ONCE;
}

/* A kill in a write leaves half of its first part: the torn line of a real crash. */
static int write_fails(int descriptor, const void *bytes, size_t length) {
  char buffer[PATH_MAX];
  int saved = errno;
  const char *path = path_of(descriptor, buffer);
  errno = saved;
  if (!watches(path)) return 0;
  enum action action = judge(WRITE, "write", path);
  if (action == KILL) {
    if (length > 1 && real_write(descriptor, bytes, length / 2) < 0) abort();
    end_process();
  }
  return action == FAIL_ONCE;
}

static int descriptor_fails(enum kind kind, const char *name, int descriptor) {
  char buffer[PATH_MAX];
  int saved = errno;
  const char *path = path_of(descriptor, buffer);
  errno = saved;
  return watches(path) && fails(kind, name, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPENING(name)                                                          \
  int name(const char *path, int flags, ...) {                                 \
    va_list rest;                                                              \
    va_start(rest, flags);                                                     \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                              \
    if (watches(path) && fails(OPEN, "open", path)) return -1;                 \
    return NEXT(name)(path, flags, mode);                                      \
  }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name)                                                       \
  int name(int at, const char *path, int flags, ...) {                         \
    va_list rest;                                                              \
    va_start(rest, flags);                                                     \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                              \
    if (watches(path) && fails(OPEN, "open", path)) return -1;                 \
    return NEXT(name)(at, path, flags, mode);                                  \
  }
OPENING_AT(openat)
OPENING_AT(openat64)

ssize_t write(int descriptor, const void *bytes, size_t length) {
  return write_fails(descriptor, bytes, length) ? -1 : real_write(descriptor, bytes, length);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  if (count > 0 && write_fails(descriptor, parts[0].iov_base, parts[0].iov_len)) return -1;
  return NEXT(writev)(descriptor, parts, count);
}

#define WRITING_AT(name, offset_type)                                          \
  ssize_t name(int descriptor, const void *bytes, size_t length, offset_type offset) { \
    if (write_fails(descriptor, bytes, length)) return -1;                     \
    return NEXT(name)(descriptor, bytes, length, offset);                      \
  }
WRITING_AT(pwrite, off_t)
WRITING_AT(pwrite64, off64_t)

#define WRITING_PARTS_AT(name, offset_type)                                    \
  ssize_t name(int descriptor, const struct iovec *parts, int count, offset_type offset) { \
    if (count > 0 && write_fails(descriptor, parts[0].iov_base, parts[0].iov_len)) return -1; \
    return NEXT(name)(descriptor, parts, count, offset);                       \
  }
WRITING_PARTS_AT(pwritev, off_t)
WRITING_PARTS_AT(pwritev64, off64_t)

#define ON_DESCRIPTOR(name, kind, word)                                        \
  int name(int descriptor) { return descriptor_fails(kind, word, descriptor) ? -1 : NEXT(name)(descriptor); }
ON_DESCRIPTOR(fsync, SYNC, "fsync")
ON_DESCRIPTOR(fdatasync, SYNC, "fdatasync")

#define CUTTING(name, offset_type)                                             \
  int name(int descriptor, offset_type length) {                               \
    return descriptor_fails(TRUNCATE, "truncate", descriptor) ? -1 : NEXT(name)(descriptor, length); \
  }
CUTTING(ftruncate, off_t)
CUTTING(ftruncate64, off64_t)

#define BETWEEN_PATHS(name, kind)                                              \
  int name(const char *from, const char *to) {                                 \
    return watches(to) && fails(kind, #name, to) ? -1 : NEXT(name)(from, to);  \
  }
BETWEEN_PATHS(rename, RENAME)
BETWEEN_PATHS(link, LINK)

int unlink(const char *path) { return watches(path) && fails(UNLINK, "unlink", path) ? -1 : NEXT(unlink)(path); }

int mkdir(const char *path, mode_t mode) {
  return watches(path) && fails(MKDIR, "mkdir", path) ? -1 : NEXT(mkdir)(path, mode);
}
