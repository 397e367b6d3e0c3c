// Work in another network namespace. A process of its own enters the namespace and exits, so the namespaces
// of the threads that run JavaScript, and of libuv's pool, never change. That process shares memory and file
// descriptors, as a thread does, and is made the way posix_spawn makes one. Because it is not a thread, it
// can also enter user namespaces.
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../enter.h"

struct visit {
  int namespace;
  namespace_work work;
  void *argument;
  struct outcome outcome;
};

static int visit(void *pointer) {
  struct visit *this = pointer;
  const char *failed = this->namespace >= 0 ? enter_network(this->namespace) : NULL;
  this->outcome = failed ? (struct outcome){errno, failed} : this->work(this->argument);
  return 0;
}

// `fresh` are the namespaces that it creates instead of entering: CLONE_NEWNET, CLONE_NEWUSER.
static struct outcome in_a_process(struct visit *this, int fresh) {
  _Alignas(16) char stack[32 << 10];
  // It takes no signals: Node's handlers must not run in it.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  this->outcome = (struct outcome){EINTR, "clone"}; // the result if it is killed
  pid_t pid = clone(visit, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | fresh, this);
  if (pid < 0) this->outcome = (struct outcome){errno, "clone"};
  // It sends no signal when it ends, so no other code waits for it.
  while (pid > 0 && waitpid(pid, NULL, (int)__WCLONE) < 0 && errno == EINTR) continue;
  sigprocmask(SIG_SETMASK, &before, NULL);
  return this->outcome;
}

struct outcome in_namespace(int fd, namespace_work work, void *argument) {
  if (fd < 0) return work(argument);
  return in_a_process(&(struct visit){.namespace = fd, .work = work, .argument = argument}, 0);
}

struct birth {
  uid_t uid;
  gid_t gid;
  bool rootless;
  int fds[2];
};

static struct outcome put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return (struct outcome){errno, "open"};
  struct outcome outcome = {write(fd, text, strlen(text)) < 0 ? errno : 0, "write"};
  close(fd);
  return outcome;
}

static struct outcome put_named(const char *path, const char *text) {
  struct outcome outcome = put(path, text);
  return (struct outcome){outcome.error, path};
}

// Maps this process's user to root inside: the only mapping that an unprivileged user can make (user_namespaces(7)).
static struct outcome map_root(const struct birth *this) {
  char uids[32], gids[32];
  snprintf(uids, sizeof uids, "0 %u 1", this->uid);
  snprintf(gids, sizeof gids, "0 %u 1", this->gid);
  struct outcome outcome = put_named("/proc/self/setgroups", "deny");
  if (!outcome.error) outcome = put_named("/proc/self/uid_map", uids);
  if (!outcome.error) outcome = put_named("/proc/self/gid_map", gids);
  return outcome;
}

static struct outcome open_born(void *argument) {
  static const char *const paths[] = {"/proc/self/ns/net", "/proc/self/ns/user"};
  struct birth *this = argument;
  struct outcome outcome = this->rootless ? map_root(this) : (struct outcome){0, NULL};
  for (int i = 0; !outcome.error && i < 1 + this->rootless; i++) {
    this->fds[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
    if (this->fds[i] < 0) outcome = (struct outcome){errno, paths[i]};
  }
  return outcome;
}

// createNamespace(rootless): [network], or [network, user]. Their process has ended by then: only the fds keep them.
napi_value create_namespace(napi_env env, napi_callback_info info) {
  napi_value rootless;
  struct birth this = {.uid = geteuid(), .gid = getegid(), .fds = {-1, -1}};
  if (!take(env, info, 1, &rootless) || napi_get_value_bool(env, rootless, &this.rootless) != napi_ok) return NULL;
  int fresh = this.rootless ? CLONE_NEWNET | CLONE_NEWUSER : CLONE_NEWNET;
  struct outcome outcome =
      in_a_process(&(struct visit){.namespace = -1, .work = open_born, .argument = &this}, fresh);
  if (!outcome.error) return give_all(env, this.fds, 1u + this.rootless);
  if (this.fds[0] >= 0) close(this.fds[0]);
  return fail(env, outcome);
}

struct opening {
  char path[PATH_MAX];
  int flags;
  int fd;
};

static struct outcome open_here(void *argument) {
  struct opening *this = argument;
  this->fd = open(this->path, this->flags | O_CLOEXEC);
  return (struct outcome){this->fd < 0 ? errno : 0, "open"};
}

// openIn(namespace, path, flags): fd. Files such as /proc/sys/net/* keep referring to the namespace in which
// they were opened.
napi_value open_in(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int namespace;
  struct opening this;
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &namespace) ||
      !to_text(env, arguments[1], this.path, sizeof this.path) || !to_integer(env, arguments[2], &this.flags))
    return NULL;
  struct outcome outcome = in_namespace(namespace, open_here, &this);
  return outcome.error ? fail(env, outcome) : give(env, this.fd);
}

#define MOST_FILES 8

struct writing {
  char text[NAME_MAX];
  uint32_t count, written;
  char paths[MOST_FILES][PATH_MAX];
};

static struct outcome write_here(void *argument) {
  struct writing *this = argument;
  struct outcome outcome = {0, NULL};
  for (; this->written < this->count; this->written++)
    if ((outcome = put(this->paths[this->written], this->text)).error) break;
  return outcome;
}

static bool take_paths(napi_env env, napi_value array, struct writing *this) {
  napi_value path;
  if (napi_get_array_length(env, array, &this->count) != napi_ok || this->count > MOST_FILES) {
    napi_throw_type_error(env, NULL, "an array of at most 8 paths expected");
    return false;
  }
  for (uint32_t i = 0; i < this->count; i++)
    if (napi_get_element(env, array, i, &path) != napi_ok || !to_text(env, path, this->paths[i], PATH_MAX)) return false;
  return true;
}

// writeIn(namespace, paths, text): writes the text into each file, in order, with one entry into the namespace. An
// error's `index` is that of the path that failed; those after it are not written.
napi_value write_in(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int namespace;
  struct writing this = {.written = 0};
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &namespace) ||
      !take_paths(env, arguments[1], &this) || !to_text(env, arguments[2], this.text, sizeof this.text))
    return NULL;
  struct outcome outcome = in_namespace(namespace, write_here, &this);
  if (outcome.error) napi_throw(env, failure(env, outcome, this.written));
  return NULL;
}

struct endpoint {
  int domain, type, protocol;
  int fd;
};

static struct outcome socket_here(void *argument) {
  struct endpoint *this = argument;
  this->fd = socket(this->domain, this->type | SOCK_CLOEXEC, this->protocol);
  return (struct outcome){this->fd < 0 ? errno : 0, "socket"};
}

// socketIn(namespace, domain, type, protocol): fd. A socket always stays in the namespace in which it was made.
napi_value socket_in(napi_env env, napi_callback_info info) {
  int given[4];
  if (!take_integers(env, info, 4, given)) return NULL;
  struct endpoint this = {.domain = given[1], .type = given[2], .protocol = given[3]};
  struct outcome outcome = in_namespace(given[0], socket_here, &this);
  return outcome.error ? fail(env, outcome) : give(env, this.fd);
}
