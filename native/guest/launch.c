#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

// In the child of vfork(2), which shares this program's memory until it executes another.
static int become(const struct program *program) {
  setsid();
  if (program->terminal) ioctl(program->files[0], TIOCSCTTY, 0);
  be_ordinary();
  for (int fd = 0; fd < 3; fd++)
    if (dup2(program->files[fd], fd) < 0) return errno;
  if (program->environment)
    execvpe(program->words[0], program->words, program->environment);
  else
    execvp(program->words[0], program->words);
  return errno;
}

int launch(const struct program *program) {
  volatile int error = 0;
  pid_t pid = vfork();
  if (pid == 0) {
    error = become(program);
    _exit(127);
  }
  if (pid < 0) return -errno;
  return error ? -error : pid;  // the child that could not is reaped like any other
}

int open_terminal(int *ends) {
  char name[64];
  ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (ends[0] < 0) return errno;
  if (unlockpt(ends[0]) == 0 && ptsname_r(ends[0], name, sizeof name) == 0) {
    ends[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends[1] >= 0) return 0;
  }
  int error = errno;
  close(ends[0]);
  return error;
}
