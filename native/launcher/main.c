// Becomes another program with fewer rights: another namespace, another user for good, no file descriptors but those
// given, no environment (unless requested), and a death signal when its parent dies.
//
//   xcluster-launcher --parent=PID [--keep=N] [--namespace=FD] [--uid=U --gid=G [--groups=A,B]] [--environment]
//                     -- FILE ARGUMENT…
//
// With the caller's own uid and gid, it drops only the capabilities that a user namespace gave.
// Exit status when a step fails: 127 the program does not exist, 126 anything else.
#include "launcher.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../enter.h"

_Noreturn void die(int status, const char *step, const char *why) {
  fprintf(stderr, "xcluster-launcher: %s: %s\n", step, why);
  exit(status);
}

static void check(int returned, const char *step) {
  if (returned < 0) die(126, step, strerror(errno));
}

// Groups and group come before the user: without root's user id they could not be changed.
static void take_identity(const struct options *options) {
  check(setresgid(options->gid, options->gid, options->gid), "setresgid");
  check(setgroups(options->group_count, options->groups), "setgroups");
  check(setresuid(options->uid, options->uid, options->uid), "setresuid");
}

// An unprivileged user cannot become another user, but is root in a user namespace of its own: those
// capabilities are dropped. With no_new_privs the program cannot regain them (cap_bprm_creds_from_file,
// security/commoncap.c).
static void give_up_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  check((int)syscall(SYS_capset, &header, none), "capset");
}

// After the identity, because the kernel clears the signal when the user changes (commit_creds,
// kernel/cred.c). If the parent died before prctl, no signal will come: then this process has another parent
// already.
static void die_with_parent(pid_t parent) {
  check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl PR_SET_PDEATHSIG");
  if (getppid() != parent) die(126, "parent", "died during the start");
}

int main(int count, char **arguments) {
  struct options options = parse_options(count, arguments);
  int ourselves = getuid() != 0 && getuid() == options.uid; // before a user namespace makes it 0
  if (options.namespace >= 0) check(enter_network(options.namespace) ? -1 : 0, "setns");
  if (options.has_identity && ourselves) give_up_capabilities();
  if (options.has_identity && !ourselves) take_identity(&options);
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
  die_with_parent(options.parent);
  // QEMU requests huge pages for the code that it translates. A small VM fills few of them, and waits for
  // each to be zeroed.
  check(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "prctl PR_SET_THP_DISABLE");
  check(close_range(3u + (unsigned)options.keep, ~0u, 0), "close_range");
  char *nothing[] = {NULL};
  execve(options.command[0], options.command, options.environment ? environ : nothing);
  die(errno == ENOENT ? 127 : 126, options.command[0], strerror(errno));
}
