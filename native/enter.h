// Shared by addon and launcher.
#pragma once

#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int is_entered(int network) {
  struct stat there, here;
  return fstat(network, &there) == 0 && stat("/proc/thread-self/ns/net", &here) == 0 &&
         there.st_dev == here.st_dev && there.st_ino == here.st_ino;
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
