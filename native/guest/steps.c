#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WRITE_FILE = 1, APPEND_FILE = 2, ROUTE = 3, NETFILTER = 4, CLOCK = 5, RANDOM = 6, RUN = 7 };

// The path with its NUL, then the content. It is written in one write, which files of /proc/sys need.
static struct outcome write_file(struct bytes payload, int how) {
  uint8_t *nul = memchr(payload.at, 0, payload.length);
  if (!nul) return failed(EBADMSG, "");
  size_t length = payload.length - (size_t)(nul + 1 - payload.at);
  int fd = open((char *)payload.at, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
  if (fd < 0) return failed(errno, "");
  ssize_t written = 0;
  for (uint8_t *at = nul + 1; length > 0; at += written, length -= (size_t)written)
    if ((written = write(fd, at, length)) <= 0) break;
  struct outcome result = failed(written < 0 ? errno : length > 0 ? ENOSPC : 0, "");
  close(fd);
  return result;
}

static struct outcome set_clock(struct bytes payload) {
  int64_t now;
  if (payload.length != sizeof now) return failed(EBADMSG, "");
  memcpy(&now, payload.at, sizeof now);
  struct timespec time = {.tv_sec = now / 1000000000, .tv_nsec = now % 1000000000};
  return failed(clock_settime(CLOCK_REALTIME, &time) < 0 ? errno : 0, "");
}

// All clones resume with the same state of the random generator. Adding to it is not enough: the addition
// takes effect at the next reseeding, which may be minutes away, so that is requested too
// (drivers/char/random.c).
static struct outcome seed_random(struct bytes payload) {
  struct {
    struct rand_pool_info info;
    uint8_t seed[64];
  } pool = {.info = {.entropy_count = (int)payload.length * 8, .buf_size = (int)payload.length}};
  if (payload.length > sizeof pool.seed) return failed(EBADMSG, "");
  memcpy(pool.info.buf, payload.at, payload.length);
  int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
  int bad = fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0;
  struct outcome result = failed(bad ? errno : 0, "");
  if (fd >= 0) close(fd);
  return result;
}

void allow_processors(size_t count) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  for (size_t processor = 0; processor < count; processor++) CPU_SET(processor, &allowed);
  sched_setaffinity(0, sizeof allowed, &allowed);
}

// Runs a program without arguments. It may be absent; its status is ignored, as init ignores it too.
static struct outcome run(struct bytes payload) {
  char *path = (char *)payload.at;
  if (!memchr(path, 0, payload.length)) return failed(EBADMSG, "");
  if (access(path, X_OK) < 0) return failed(errno == ENOENT ? 0 : errno, "");
  pid_t child = vfork();
  if (child == 0) {
    allow_processors(CPU_SETSIZE);
    execl(path, path, NULL);
    _exit(127);
  }
  int status = 0;
  return failed(child < 0 || waitpid(child, &status, 0) < 0 ? errno : 0, "");
}

static struct outcome send_to_kernel(int protocol, struct bytes payload) {
  struct outcome placed = put_link_indexes(&payload);
  return placed.error ? placed : send_netlink(protocol, payload);
}

struct outcome take_step(uint16_t kind, struct bytes payload) {
  switch (kind) {
    case WRITE_FILE: return write_file(payload, O_TRUNC);
    case APPEND_FILE: return write_file(payload, O_APPEND);
    case ROUTE: return send_to_kernel(NETLINK_ROUTE, payload);
    case NETFILTER: return send_to_kernel(NETLINK_NETFILTER, payload);
    case CLOCK: return set_clock(payload);
    case RANDOM: return seed_random(payload);
    case RUN: return run(payload);
    default: return failed(ENOSYS, "");
  }
}
