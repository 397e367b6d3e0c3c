// Work in another network namespace. A thread of its own enters it and exits: the namespace of the threads that
// run JavaScript, and of libuv's pool, never changes.
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

struct visit {
  int namespace;
  namespace_work work;
  void *argument;
  struct outcome outcome;
};

static void *visit(void *pointer) {
  struct visit *this = pointer;
  if (this->namespace >= 0 && setns(this->namespace, CLONE_NEWNET) < 0)
    this->outcome = (struct outcome){errno, "setns"};
  else
    this->outcome = this->work(this->argument);
  return NULL;
}

static struct outcome on_a_thread(struct visit *this) {
  // The thread takes no signals: a handler must not find itself in the wrong namespace.
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, NULL, visit, this);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error) return (struct outcome){error, "pthread_create"};
  pthread_join(thread, NULL);
  return this->outcome;
}

struct outcome in_namespace(int fd, namespace_work work, void *argument) {
  if (fd < 0) return work(argument);
  return on_a_thread(&(struct visit){.namespace = fd, .work = work, .argument = argument});
}

static struct outcome unshare_here(void *argument) {
  int *fd = argument;
  if (unshare(CLONE_NEWNET) < 0) return (struct outcome){errno, "unshare"};
  *fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  return (struct outcome){*fd < 0 ? errno : 0, "open /proc/thread-self/ns/net"};
}

// createNamespace(): fd. The thread that made it is gone at return: the fd alone keeps the namespace.
napi_value create_namespace(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = -1;
  struct outcome outcome = on_a_thread(&(struct visit){.namespace = -1, .work = unshare_here, .argument = &fd});
  return outcome.error ? fail(env, outcome) : from_integer(env, fd);
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

// openIn(namespace, path, flags): fd. Files such as /proc/sys/net/* stay those of the namespace they were opened in.
napi_value open_in(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int namespace;
  struct opening this;
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &namespace) ||
      !to_text(env, arguments[1], this.path, sizeof this.path) || !to_integer(env, arguments[2], &this.flags))
    return NULL;
  struct outcome outcome = in_namespace(namespace, open_here, &this);
  return outcome.error ? fail(env, outcome) : from_integer(env, this.fd);
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

// socketIn(namespace, domain, type, protocol): fd. A socket belongs for life to the namespace it was made in.
napi_value socket_in(napi_env env, napi_callback_info info) {
  int given[4];
  if (!take_integers(env, info, 4, given)) return NULL;
  struct endpoint this = {.domain = given[1], .type = given[2], .protocol = given[3]};
  struct outcome outcome = in_namespace(given[0], socket_here, &this);
  return outcome.error ? fail(env, outcome) : from_integer(env, this.fd);
}
