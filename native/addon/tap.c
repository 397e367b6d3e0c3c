// Taps: TUNSETIFF works in the namespace where /dev/net/tun was opened (drivers/net/tun.c, tun_chr_open).
//
// The kernel takes 0.1 ms for each, so a thread opens them while JavaScript goes on. One of libuv's pool would be woken on
// the processor that JavaScript is busy on: this is a thread of its own, which keeps off that processor. It never changes
// its namespace either: see namespace.c.
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>

struct tap {
  struct ifreq request;
  int fd;
};

struct taps {
  uv_thread_t thread;
  bool started;
  int processor; // that of the thread that called
  napi_threadsafe_function report; // calls `settle`
  napi_deferred promise; // NULL once it is settled
  struct outcome outcome;
  int namespace; // a copy: the caller may close its own meanwhile
  uint32_t count;
  uint32_t opened; // after a failure, the index of the name that failed
  struct tap each[];
};

static struct outcome open_here(void *argument) {
  struct taps *taps = argument;
  for (; taps->opened < taps->count; taps->opened++) {
    struct tap *tap = &taps->each[taps->opened];
    tap->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (tap->fd < 0) return (struct outcome){errno, "open /dev/net/tun"};
    if (ioctl(tap->fd, TUNSETIFF, &tap->request) == 0) continue;
    struct outcome outcome = {errno, "ioctl TUNSETIFF"};
    close(tap->fd);
    return outcome;
  }
  return (struct outcome){0, NULL};
}

static void close_opened(struct taps *taps) {
  for (uint32_t i = 0; i < taps->opened; i++) close(taps->each[i].fd);
}

static void leave_namespace(struct taps *taps) {
  if (taps->namespace >= 0) close(taps->namespace);
  taps->namespace = -1;
}

// When the environment is ending this is refused, and `dispose` waits for the thread.
static void report(struct taps *taps) {
  if (napi_call_threadsafe_function(taps->report, NULL, napi_tsfn_nonblocking) == napi_ok)
    napi_release_threadsafe_function(taps->report, napi_tsfn_release);
}

// Where the thread may run on others, it does not run on this processor. What it starts inherits that.
static void keep_off(int processor) {
  cpu_set_t others;
  if (processor < 0 || sched_getaffinity(0, sizeof others, &others)) return;
  CPU_CLR((size_t)processor, &others);
  if (CPU_COUNT(&others) > 0) sched_setaffinity(0, sizeof others, &others);
}

// Opens all taps or none. In the thread.
static void open_all(void *pointer) {
  struct taps *taps = pointer;
  keep_off(taps->processor);
  taps->outcome = in_namespace(taps->namespace, open_here, taps);
  if (taps->outcome.error) close_opened(taps);
  leave_namespace(taps);
  report(taps);
}

// In the thread that called. `env` is NULL when it is ending: then the promise cannot be settled any more.
static void settle(napi_env env, napi_value unused, void *pointer, void *data) {
  (void)unused, (void)data;
  struct taps *taps = pointer;
  if (!env) return;
  if (taps->outcome.error) {
    napi_reject_deferred(env, taps->promise, failure(env, taps->outcome, taps->opened));
  } else {
    napi_value fds;
    napi_create_array_with_length(env, taps->count, &fds);
    for (uint32_t i = 0; i < taps->count; i++) napi_set_element(env, fds, i, give(env, taps->each[i].fd));
    napi_resolve_deferred(env, taps->promise, fds);
  }
  taps->promise = NULL;
}

static void release(struct taps *taps) {
  leave_namespace(taps);
  free(taps);
}

// The last use of `taps`: after the promise was settled, or when the environment ends.
static void dispose(napi_env env, void *pointer, void *hint) {
  (void)env, (void)hint;
  struct taps *taps = pointer;
  if (taps->started) uv_thread_join(&taps->thread);
  if (taps->promise && !taps->outcome.error) close_opened(taps);
  release(taps);
}

static bool take_names(napi_env env, napi_value names, short flags, struct taps *taps) {
  for (uint32_t i = 0; i < taps->count; i++) {
    struct ifreq *request = &taps->each[i].request;
    napi_value name;
    request->ifr_flags = flags;
    if (napi_get_element(env, names, i, &name) != napi_ok ||
        !to_text(env, name, request->ifr_name, sizeof request->ifr_name))
      return false;
  }
  return true;
}

static bool promise_report(napi_env env, struct taps *taps, napi_value *promise) {
  napi_value label;
  return napi_create_string_utf8(env, "xcluster.taps", NAPI_AUTO_LENGTH, &label) == napi_ok &&
         napi_create_promise(env, &taps->promise, promise) == napi_ok &&
         napi_create_threadsafe_function(env, NULL, NULL, label, 0, 1, taps, dispose, taps, settle, &taps->report) ==
             napi_ok;
}

// The thread takes no signals: Node's handlers must not run in it. glibc has had pthread_create as a symbol of its own
// since 2.34 only, and pthread_sigmask (on Linux the same as sigprocmask) since 2.32: prebuilt files run with 2.31.
static void start(struct taps *taps) {
  sigset_t all, before;
  sigfillset(&all);
  taps->processor = sched_getcpu();
  sigprocmask(SIG_SETMASK, &all, &before);
  int error = -uv_thread_create(&taps->thread, open_all, taps);
  sigprocmask(SIG_SETMASK, &before, NULL);
  taps->started = error == 0;
  if (error) {
    taps->outcome = (struct outcome){error, "uv_thread_create"};
    report(taps);
  }
}

// openTaps(namespace, names, flags): a promise of fds. It enters the namespace once for all. An error's `index`
// is that of the name that failed.
napi_value open_taps(napi_env env, napi_callback_info info) {
  napi_value arguments[3], promise;
  int namespace, flags;
  uint32_t count;
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &namespace) ||
      !to_integer(env, arguments[2], &flags))
    return NULL;
  if (napi_get_array_length(env, arguments[1], &count) != napi_ok) {
    napi_throw_type_error(env, NULL, "an array of names expected");
    return NULL;
  }
  struct taps *taps = calloc(1, sizeof *taps + count * sizeof *taps->each);
  if (!taps) return fail(env, (struct outcome){ENOMEM, "calloc"});
  *taps = (struct taps){.namespace = -1, .count = count};
  // IFF_TUN_EXCL is 0x8000: the flags fill the 16 bits of ifr_flags.
  bool taken = take_names(env, arguments[1], (short)(uint16_t)flags, taps);
  if (taken && namespace >= 0 && (taps->namespace = fcntl(namespace, F_DUPFD_CLOEXEC, 0)) < 0)
    taken = fail(env, (struct outcome){errno, "fcntl F_DUPFD_CLOEXEC"});
  if (taken && promise_report(env, taps, &promise)) {
    start(taps);
    return promise;
  }
  release(taps);
  return taken ? fail(env, (struct outcome){ENOMEM, "napi_create_threadsafe_function"}) : NULL;
}
