// Creates and configures sockets.
#include "addon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// bindNetlink(fd): the port id, which the kernel chooses.
napi_value bind_netlink(napi_env env, napi_callback_info info) {
  int fd;
  if (!take_integers(env, info, 1, &fd)) return NULL;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  socklen_t size = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, size) < 0) return fail(env, (struct outcome){errno, "bind"});
  if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return fail(env, (struct outcome){errno, "getsockname"});
  return from_integer(env, address.nl_pid);
}

// setOption(fd, level, option, value)
napi_value set_option(napi_env env, napi_callback_info info) {
  int given[4];
  if (!take_integers(env, info, 4, given)) return NULL;
  return result(env, setsockopt(given[0], given[1], given[2], &given[3], sizeof given[3]), "setsockopt");
}

// socketPair(type): [fd, fd] of AF_UNIX, both blocking.
napi_value socket_pair(napi_env env, napi_callback_info info) {
  int type, fds[2];
  if (!take_integers(env, info, 1, &type)) return NULL;
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0) return fail(env, (struct outcome){errno, "socketpair"});
  return give_all(env, fds, 2);
}

// connectUnix(path): fd of a stream. Never waits: EAGAIN means that the listener's queue is full.
napi_value connect_unix(napi_env env, napi_callback_info info) {
  napi_value path;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!take(env, info, 1, &path) || !to_text(env, path, address.sun_path, sizeof address.sun_path)) return NULL;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(env, (struct outcome){errno, "socket"});
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return give(env, fd);
  int error = errno;
  close(fd);
  return fail(env, (struct outcome){error, "connect"});
}

// getOption(fd, level, option, bytes): the length of the option's value, which is written into the bytes.
napi_value get_option(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  int given[3];
  uint8_t *bytes;
  size_t length;
  if (!take_integers(env, info, 3, given) || !take(env, info, 4, arguments) ||
      !to_bytes(env, arguments[3], &bytes, &length))
    return NULL;
  socklen_t size = (socklen_t)length;
  return result(env, getsockopt(given[0], given[1], given[2], bytes, &size) < 0 ? -1 : (int64_t)size, "getsockopt");
}
