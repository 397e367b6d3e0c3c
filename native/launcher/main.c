// Becomes another program with less: another namespace, another user, no way back, no other file descriptors, no
// environment, and a death that follows its parent's.
//
//   xcluster-launcher --parent=PID [--keep=N] [--namespace=FD] [--uid=U --gid=G [--groups=A,B]] -- FILE ARGUMENT…
//
// Exit status when a step fails: 127 the program does not exist, 126 anything else.
#include "launcher.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

_Noreturn void die(int status, const char *step, const char *why) {
  fprintf(stderr, "xcluster-launcher: %s: %s\n", step, why);
  exit(status);
}

static void check(int returned, const char *step) {
  if (returned < 0) die(126, step, strerror(errno));
}

// Groups and group before the user: once that is gone, so is the right to change them.
static void take_identity(const struct options *options) {
  check(setresgid(options->gid, options->gid, options->gid), "setresgid");
  check(setgroups(options->group_count, options->groups), "setgroups");
  check(setresuid(options->uid, options->uid, options->uid), "setresuid");
}

// After the identity, because the kernel clears the signal when the user changes (commit_creds, kernel/cred.c). The
// parent may have died before prctl and no signal will come: then we have another parent already.
static void die_with_parent(pid_t parent) {
  check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl PR_SET_PDEATHSIG");
  if (getppid() != parent) die(126, "parent", "died meanwhile");
}

int main(int count, char **arguments) {
  struct options options = parse_options(count, arguments);
  if (options.namespace >= 0) check(setns(options.namespace, CLONE_NEWNET), "setns");
  if (options.has_identity) take_identity(&options);
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
  die_with_parent(options.parent);
  check(close_range(3u + (unsigned)options.keep, ~0u, 0), "close_range");
  char *environment[] = {NULL};
  execve(options.command[0], options.command, environment);
  die(errno == ENOENT ? 127 : 126, options.command[0], strerror(errno));
}
