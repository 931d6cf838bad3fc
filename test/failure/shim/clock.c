/*
 * Stands between a process and the C library (LD_PRELOAD) and moves its wall clock by the seconds that a
 * file of one 64-bit integer holds, which the test changes while the process runs. Only the wall clock
 * moves: the monotonic one, by which timers and waits go, does not jump on a real machine either.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t none = 0;
static volatile int64_t *shift = &none;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_gettimeofday)(struct timeval *, void *);
static time_t (*real_time)(time_t *);

__attribute__((constructor)) static void prepare(void) {
  real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  real_gettimeofday = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
  real_time = (time_t(*)(time_t *))dlsym(RTLD_NEXT, "time");
  const char *file = getenv("CLOCK_SHIFT");
  if (file == NULL) return;
  int descriptor = open(file, O_RDONLY | O_CLOEXEC);
  void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, descriptor, 0);
  if (descriptor < 0 || mapped == MAP_FAILED) abort();
  shift = mapped;
  close(descriptor);
}

int clock_gettime(clockid_t clock, struct timespec *result) {
  int status = real_clock_gettime(clock, result);
  if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) result->tv_sec += *shift;
  return status;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
  int status = real_gettimeofday(result, zone);
  if (status == 0) result->tv_sec += *shift;
  return status;
}

time_t time(time_t *result) {
  time_t now = real_time(NULL) + *shift;
  if (result != NULL) *result = now;
  return now;
}
