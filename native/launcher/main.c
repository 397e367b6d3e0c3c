// Becomes another program with less: another namespace, another user, no way back, no other file descriptors, no
// environment (unless told), and a death that follows its parent's.
//
//   xcluster-launcher --parent=PID [--keep=N] [--namespace=FD] [--uid=U --gid=G [--groups=A,B]] [--environment]
//                     -- FILE ARGUMENT…
//
// With our own uid and gid nothing is dropped but what capabilities a user namespace gave.
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

// Groups and group before the user: once that is gone, so is the right to change them.
static void take_identity(const struct options *options) {
  check(setresgid(options->gid, options->gid, options->gid), "setresgid");
  check(setgroups(options->group_count, options->groups), "setgroups");
  check(setresuid(options->uid, options->uid, options->uid), "setresuid");
}

// An ordinary user can become nobody else, but is root in a user namespace of his: what that gave goes. With
// no_new_privs the program does not get it back (cap_bprm_creds_from_file, security/commoncap.c).
static void give_up_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  check((int)syscall(SYS_capset, &header, none), "capset");
}

// After the identity, because the kernel clears the signal when the user changes (commit_creds, kernel/cred.c). The
// parent may have died before prctl and no signal will come: then we have another parent already.
static void die_with_parent(pid_t parent) {
  check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl PR_SET_PDEATHSIG");
  if (getppid() != parent) die(126, "parent", "died meanwhile");
}

int main(int count, char **arguments) {
  struct options options = parse_options(count, arguments);
  int ourselves = getuid() != 0 && getuid() == options.uid; // a user namespace would say that we are root
  if (options.namespace >= 0) check(enter_network(options.namespace) ? -1 : 0, "setns");
  if (options.has_identity && ourselves) give_up_capabilities();
  if (options.has_identity && !ourselves) take_identity(&options);
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
  die_with_parent(options.parent);
  // QEMU asks for huge pages for the code it translates. A small VM fills few of them, and waits for each to be zeroed.
  check(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "prctl PR_SET_THP_DISABLE");
  check(close_range(3u + (unsigned)options.keep, ~0u, 0), "close_range");
  char *nothing[] = {NULL};
  execve(options.command[0], options.command, options.environment ? environ : nothing);
  die(errno == ENOENT ? 127 : 126, options.command[0], strerror(errno));
}
