#pragma once

#include <sys/types.h>

#define MOST_GROUPS 64

// What src/sys/processes/launch.ts asks for.
struct options {
  pid_t parent;      // who must still be our parent once the death signal is set
  int keep;          // 0, 1, 2 and the next `keep` file descriptors stay open
  int namespace;     // network namespace to enter, or -1
  int has_identity;  // else the caller's own is kept
  int environment;   // the caller's is kept, too
  uid_t uid;
  gid_t gid;
  gid_t groups[MOST_GROUPS];
  size_t group_count;
  char **command;
};

// Says on stderr which step failed and why, in one line, and exits with `status`.
_Noreturn void die(int status, const char *step, const char *why);

struct options parse_options(int count, char **arguments);
