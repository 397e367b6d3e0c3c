#pragma once

#include <sys/types.h>

#define MOST_GROUPS 64

// The options that src/sys/processes/launch.ts passes.
struct options {
  pid_t parent;      // must still be the parent once the death signal is set
  int keep;          // 0, 1, 2 and the next `keep` file descriptors stay open
  int namespace;     // network namespace to enter, or -1
  int has_identity;  // false: keep the caller's user and groups
  int environment;   // true: keep the caller's environment too
  uid_t uid;
  gid_t gid;
  gid_t groups[MOST_GROUPS];
  size_t group_count;
  char **command;
};

// Prints on stderr which step failed and why, in one line, and exits with `status`.
_Noreturn void die(int status, const char *step, const char *why);

struct options parse_options(int count, char **arguments);
