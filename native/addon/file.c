// File operations that node:fs lacks.
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/mman.h>

// createMemfd(name): fd of an empty file in memory that can be sealed.
napi_value create_memfd(napi_env env, napi_callback_info info) {
  napi_value argument;
  char name[NAME_MAX];
  if (!take(env, info, 1, &argument) || !to_text(env, argument, name, sizeof name)) return NULL;
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd < 0 ? fail(env, (struct outcome){errno, "memfd_create"}) : give(env, fd);
}

// addSeals(fd, seals)
napi_value add_seals(napi_env env, napi_callback_info info) {
  int given[2];
  if (!take_integers(env, info, 2, given)) return NULL;
  return result(env, fcntl(given[0], F_ADD_SEALS, given[1]), "fcntl F_ADD_SEALS");
}

// flock(fd, operation)
napi_value lock_file(napi_env env, napi_callback_info info) {
  int given[2];
  if (!take_integers(env, info, 2, given)) return NULL;
  return result(env, flock(given[0], given[1]), "flock");
}

// duplicate(fd): another fd of the same open file, closed on exec.
napi_value duplicate(napi_env env, napi_callback_info info) {
  int fd;
  if (!take_integers(env, info, 1, &fd)) return NULL;
  int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return other < 0 ? fail(env, (struct outcome){errno, "fcntl F_DUPFD_CLOEXEC"}) : give(env, other);
}
