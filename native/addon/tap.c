// Taps: TUNSETIFF works in the namespace where /dev/net/tun was opened (drivers/net/tun.c, tun_chr_open).
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct taps {
  size_t count;
  size_t opened;
  short flags;
  char (*names)[IFNAMSIZ];
  int *fds;
};

static struct outcome open_one(const char *name, short flags, int *fd) {
  struct ifreq request = {.ifr_flags = flags};
  memcpy(request.ifr_name, name, IFNAMSIZ);
  *fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (*fd < 0) return (struct outcome){errno, "open /dev/net/tun"};
  if (ioctl(*fd, TUNSETIFF, &request) == 0) return (struct outcome){0, NULL};
  int error = errno;
  close(*fd);
  return (struct outcome){error, "ioctl TUNSETIFF"};
}

// Opens all taps or none: after a failure it closes those already open. `opened` then is the index of the
// name that failed.
static struct outcome open_here(void *argument) {
  struct taps *taps = argument;
  for (taps->opened = 0; taps->opened < taps->count; taps->opened++) {
    size_t at = taps->opened;
    struct outcome outcome = open_one(taps->names[at], taps->flags, &taps->fds[at]);
    if (!outcome.error) continue;
    while (at > 0) close(taps->fds[--at]);
    return outcome;
  }
  return (struct outcome){0, NULL};
}

static bool take_names(napi_env env, napi_value array, struct taps *taps) {
  for (size_t i = 0; i < taps->count; i++) {
    napi_value name;
    if (napi_get_element(env, array, (uint32_t)i, &name) != napi_ok ||
        !to_text(env, name, taps->names[i], sizeof taps->names[i]))
      return false;
  }
  return true;
}

static napi_value open_named(napi_env env, int namespace, napi_value names, struct taps *taps) {
  if (!take_names(env, names, taps)) return NULL;
  struct outcome outcome = in_namespace(namespace, open_here, taps);
  if (!outcome.error) return from_integers(env, taps->fds, taps->count);
  napi_value error;
  fail(env, outcome);
  napi_get_and_clear_last_exception(env, &error);
  set(env, error, "index", from_integer(env, (int64_t)taps->opened));
  napi_throw(env, error);
  return NULL;
}

// openTaps(namespace, names, flags): fds. It enters the namespace once for all. An error's `index` is that of
// the name that failed.
napi_value open_taps(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int namespace, flags;
  uint32_t count;
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &namespace) ||
      !to_integer(env, arguments[2], &flags))
    return NULL;
  if (napi_get_array_length(env, arguments[1], &count) != napi_ok) {
    napi_throw_type_error(env, NULL, "an array of names expected");
    return NULL;
  }
  // IFF_TUN_EXCL is 0x8000: the flags fill the 16 bits of ifr_flags.
  struct taps taps = {.count = count, .flags = (short)(uint16_t)flags};
  taps.names = calloc(count + 1u, sizeof *taps.names);
  taps.fds = calloc(count + 1u, sizeof *taps.fds);
  napi_value fds = NULL;
  if (taps.names && taps.fds)
    fds = open_named(env, namespace, arguments[1], &taps);
  else
    fail(env, (struct outcome){ENOMEM, "calloc"});
  free(taps.names);
  free(taps.fds);
  return fds;
}
