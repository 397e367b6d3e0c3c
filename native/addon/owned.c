// The file descriptors that JavaScript got from this addon and has not closed. When its environment ends first (a worker
// thread that is terminated runs no JavaScript any more), they are closed here.
//
// node:fs is not used for closing them: in a worker thread it warns of a descriptor that it has not opened.
#include "addon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct owned {
  uint8_t *is; // by descriptor: 1 when it is owned
  size_t size;
};

static void close_all(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct owned *owned = data;
  for (size_t fd = 0; fd < owned->size; fd++)
    if (owned->is[fd]) close((int)fd);
  free(owned->is);
  free(owned);
}

bool prepare_owned(napi_env env) {
  struct owned *owned = calloc(1, sizeof *owned);
  if (owned && napi_set_instance_data(env, owned, close_all, NULL) == napi_ok) return true;
  free(owned);
  return false;
}

static bool reserve(struct owned *owned, size_t size) {
  if (size <= owned->size) return true;
  size_t rounded = (size + 1023) & ~(size_t)1023;
  uint8_t *more = realloc(owned->is, rounded);
  if (!more) return false;
  memset(more + owned->size, 0, rounded - owned->size);
  *owned = (struct owned){more, rounded};
  return true;
}

static void mark(napi_env env, int fd, bool is) {
  struct owned *owned = NULL;
  if (fd < 0 || napi_get_instance_data(env, (void **)&owned) != napi_ok || !owned) return;
  if (is ? reserve(owned, (size_t)fd + 1) : (size_t)fd < owned->size) owned->is[fd] = is;
}

napi_value give(napi_env env, int fd) {
  mark(env, fd, true);
  return from_integer(env, fd);
}

napi_value give_all(napi_env env, const int *fds, size_t count) {
  napi_value array = NULL;
  napi_create_array_with_length(env, count, &array);
  for (size_t i = 0; i < count; i++) napi_set_element(env, array, (uint32_t)i, give(env, fds[i]));
  return array;
}

void disown(napi_env env, int fd) {
  mark(env, fd, false);
}

// disown(fd): something else closes it from now on.
napi_value disown_fd(napi_env env, napi_callback_info info) {
  int fd;
  if (take_integers(env, info, 1, &fd)) disown(env, fd);
  return NULL;
}

// close(fd)
napi_value close_fd(napi_env env, napi_callback_info info) {
  int fd;
  if (!take_integers(env, info, 1, &fd)) return NULL;
  disown(env, fd);
  return close(fd) < 0 ? fail(env, (struct outcome){errno, "close"}) : NULL;
}

struct closing {
  napi_async_work work;
  napi_deferred promise;
  int fd;
};

static void close_there(napi_env env, void *pointer) {
  (void)env;
  close(((struct closing *)pointer)->fd);
}

static void closed(napi_env env, napi_status status, void *pointer) {
  (void)status; // it is never cancelled
  struct closing *closing = pointer;
  napi_resolve_deferred(env, closing->promise, nothing(env));
  napi_delete_async_work(env, closing->work);
  free(closing);
}

// closeInPool(fd): a promise. For a descriptor whose closing takes the kernel long.
napi_value close_in_pool(napi_env env, napi_callback_info info) {
  napi_value label, promise;
  int fd;
  if (!take_integers(env, info, 1, &fd)) return NULL;
  struct closing *closing = calloc(1, sizeof *closing);
  if (!closing) return fail(env, (struct outcome){ENOMEM, "calloc"});
  closing->fd = fd;
  if (napi_create_string_utf8(env, "xcluster.close", NAPI_AUTO_LENGTH, &label) == napi_ok &&
      napi_create_promise(env, &closing->promise, &promise) == napi_ok &&
      napi_create_async_work(env, NULL, label, close_there, closed, closing, &closing->work) == napi_ok &&
      napi_queue_async_work(env, closing->work) == napi_ok) {
    disown(env, fd);
    return promise;
  }
  if (closing->work) napi_delete_async_work(env, closing->work);
  free(closing);
  return fail(env, (struct outcome){ENOMEM, "napi_queue_async_work"});
}
