#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  WRITE_FILE = 1, APPEND_FILE = 2, ROUTE = 3, NETFILTER = 4, CLOCK = 5, RANDOM = 6, RUN = 7,
  PUT_FILE = 8, PUT_DIRECTORY = 9, PUT_LINK = 10, PUT_NODE = 11,
};

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

void be_ordinary(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
  allow_processors(CPU_SETSIZE);
}

// Runs a program without arguments. It may be absent; its status is ignored, as init ignores it too.
static struct outcome run(struct bytes payload) {
  char *path = (char *)payload.at;
  if (!memchr(path, 0, payload.length)) return failed(EBADMSG, "");
  if (access(path, X_OK) < 0) return failed(errno == ENOENT ? 0 : errno, "");
  pid_t child = vfork();
  if (child == 0) {
    be_ordinary();
    execl(path, path, NULL);
    _exit(127);
  }
  int status = 0;
  return failed(child < 0 || waitpid(child, &status, 0) < 0 ? errno : 0, "");
}

// The head of what is put into the root. Its path follows, then a NUL, then its content: a file's, or a link's target.
struct put {
  uint32_t mode, uid, gid, major, minor;
};

static int write_all(int fd, struct bytes content) {
  while (content.length > 0) {
    ssize_t written = write(fd, content.at, content.length);
    if (written < 0) return -1;
    content.at += written;
    content.length -= (uint32_t)written;
  }
  return 0;
}

static int put_file(const char *path, const struct put *put, struct bytes content) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  int bad = write_all(fd, content) < 0 || fchown(fd, put->uid, put->gid) < 0 || fchmod(fd, put->mode) < 0;
  return close(fd) < 0 || bad ? -1 : 0;
}

// What is already there gives way, as with tar(1): a link is replaced and not followed. A directory stays as it is.
static struct outcome put(uint16_t kind, struct bytes payload) {
  struct put put;
  if (payload.length < sizeof put) return failed(EBADMSG, "");
  memcpy(&put, payload.at, sizeof put);
  char *path = (char *)payload.at + sizeof put;
  char *nul = memchr(path, 0, payload.length - sizeof put);
  if (!nul) return failed(EBADMSG, "");
  struct bytes content = {(uint8_t *)nul + 1, payload.length - (uint32_t)(nul + 1 - (char *)payload.at)};
  struct stat there;
  int bad;
  if (kind == PUT_DIRECTORY && stat(path, &there) == 0 && S_ISDIR(there.st_mode)) return failed(0, "");
  if (unlink(path) < 0 && errno != ENOENT) return failed(errno == EPERM ? EISDIR : errno, "");
  if (kind == PUT_FILE) bad = put_file(path, &put, content);
  else if (kind == PUT_DIRECTORY)
    bad = mkdir(path, put.mode) < 0 || chown(path, put.uid, put.gid) < 0 || chmod(path, put.mode) < 0;
  else if (kind == PUT_LINK) bad = symlink((char *)content.at, path) < 0 || lchown(path, put.uid, put.gid) < 0;
  else
    bad = mknod(path, put.mode, makedev(put.major, put.minor)) < 0 || chown(path, put.uid, put.gid) < 0 ||
          chmod(path, put.mode & 07777) < 0;
  return failed(bad ? errno : 0, "");
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
    case PUT_FILE:
    case PUT_DIRECTORY:
    case PUT_LINK:
    case PUT_NODE: return put(kind, payload);
    default: return failed(ENOSYS, "");
  }
}
