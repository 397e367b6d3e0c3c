// Shared by addon and launcher.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/stat.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// By system call: glibc has had fstat as a symbol since 2.33 only, and prebuilt files run with 2.31.
static inline int identify(int directory, const char *path, struct statx *found) {
  return (int)syscall(SYS_statx, directory, path, AT_EMPTY_PATH, STATX_INO, found);
}

static inline int is_entered(int network) {
  struct statx there, here;
  return identify(network, "", &there) == 0 && identify(AT_FDCWD, "/proc/thread-self/ns/net", &here) == 0 &&
         there.stx_dev_major == here.stx_dev_major && there.stx_dev_minor == here.stx_dev_minor &&
         there.stx_ino == here.stx_ino;
}

// Enters a network namespace. One that belongs to a user namespace (rootless) is entered through that. This
// makes the process root in there, and works only in a process with one thread (setns(2)). Returns the call
// that failed, or NULL.
static inline const char *enter_network(int network) {
  if (setns(network, CLONE_NEWNET) == 0) return NULL;
  if (errno != EPERM) return "setns";
  if (is_entered(network)) return NULL;
  int user = ioctl(network, NS_GET_USERNS);
  if (user < 0) return "ioctl NS_GET_USERNS";
  int joined = setns(user, CLONE_NEWUSER) == 0;
  close(user);
  if (!joined) errno = EPERM; // not this user's namespace: the errno of the first attempt
  return joined && setns(network, CLONE_NEWNET) == 0 ? NULL : "setns";
}
