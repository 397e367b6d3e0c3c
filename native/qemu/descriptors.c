// What a copy of a process may not share with it: each descriptor by its kind.
#include "zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_OPEN 512

// The kernel does not tell which offloads a tap has (tun_get_iff, drivers/net/tun.c).
static unsigned long offloads[MOST_OPEN];

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if ((unsigned)request == TUNSETOFFLOAD && fd >= 0 && fd < MOST_OPEN) offloads[fd] = (unsigned long)argument;
  return (int)syscall(SYS_ioctl, fd, request, argument);
}

_Noreturn void give_up(const char *step, int error) {
  dprintf(2, "xcluster: fork of QEMU: %s: %s\n", step, strerror(error));
  _exit(126);
}

static void check(long returned, const char *step) {
  if (returned < 0) give_up(step, errno);
}

static void put(int fd, int place) {
  check(dup3(fd, place, 0), "dup3");
  close(fd);
}

static void read_about(int fd, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  int file = open(path, O_RDONLY);
  check(file, path);
  ssize_t length = read(file, text, size - 1);
  check(length, path);
  text[length] = 0;
  close(file);
}

static void replace_eventfd(int fd) {
  char about[512];
  read_about(fd, about, sizeof about);
  const char *count = strstr(about, "eventfd-count:");
  int made = eventfd(count ? (unsigned)strtoul(count + 14, NULL, 16) : 0, fcntl(fd, F_GETFL) & O_NONBLOCK);
  check(made, "eventfd");
  put(made, fd);
}

// After all others: it watches them by what they are now.
static void replace_epoll(int fd) {
  char about[8192];
  read_about(fd, about, sizeof about);
  int made = epoll_create1(0);
  check(made, "epoll_create1");
  for (const char *line = strstr(about, "tfd:"); line; line = strstr(line + 4, "tfd:")) {
    int watched;
    unsigned events;
    unsigned long long data;
    if (sscanf(line, "tfd: %d events: %x data: %llx", &watched, &events, &data) != 3) continue;
    struct epoll_event event = {.events = events, .data.u64 = data};
    check(epoll_ctl(made, EPOLL_CTL_ADD, watched, &event), "epoll_ctl");
  }
  put(made, fd);
}

static void take_place(int fd, int place) {
  int header;
  check(fcntl(fd, F_SETFL, fcntl(place, F_GETFL) & O_NONBLOCK), "fcntl");
  if (syscall(SYS_ioctl, place, TUNGETVNETHDRSZ, &header) == 0) {
    check(syscall(SYS_ioctl, fd, TUNSETVNETHDRSZ, &header), "TUNSETVNETHDRSZ");
    if (place < MOST_OPEN) check(syscall(SYS_ioctl, fd, TUNSETOFFLOAD, offloads[place]), "TUNSETOFFLOAD");
  }
  put(fd, place);
}

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

// Files are read at given places, and signals are those of the reader.
static bool may_share(const char *link) {
  if (begins(link, "/dev/")) return strcmp(link, "/dev/null") == 0 || strcmp(link, "/dev/urandom") == 0;
  return begins(link, "/") || strcmp(link, "anon_inode:[signalfd]") == 0;
}

static bool is_given(const struct request *request, int fd) {
  for (int i = 0; i < request->count; i++)
    if (request->numbers[i] == fd) return true;
  return false;
}

void replace_descriptors(const struct request *request, const int *fds) {
  long open[MOST_OPEN];
  int epolls[MOST_OPEN], epoll_count = 0;
  for (int i = 0; i < request->count; i++) take_place(fds[i], request->numbers[i]);
  int count = numbers_in("/proc/self/fd", open, MOST_OPEN);
  for (int i = 0; i < count; i++) {
    char path[64], link[256] = "";
    int fd = (int)open[i];
    if (is_given(request, fd)) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, link, sizeof link - 1) < 0) continue; // the directory itself
    if (strcmp(link, "anon_inode:[eventfd]") == 0) replace_eventfd(fd);
    else if (strcmp(link, "anon_inode:[eventpoll]") == 0) epolls[epoll_count++] = fd;
    else if (begins(link, "anon_inode:[pidfd]") || begins(link, "pidfd:")) close(fd); // of other copies
    else if (!may_share(link)) give_up(link, ENOTSUP);
  }
  for (int i = 0; i < epoll_count; i++) replace_epoll(epolls[i]);
}

size_t receive_request(int control, struct request *request, int *fds) {
  union { struct cmsghdr aligned; char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))]; } space;
  struct iovec place = {request, sizeof *request};
  struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = &space, .msg_controllen = sizeof space};
  request->kind = -1;
  if (recvmsg(control, &message, MSG_WAITALL) != sizeof *request) _exit(0); // who it works for has gone
  struct cmsghdr *part = CMSG_FIRSTHDR(&message);
  if (!part || part->cmsg_type != SCM_RIGHTS) return 0;
  size_t size = part->cmsg_len - CMSG_LEN(0);
  memcpy(fds, CMSG_DATA(part), size);
  return size / sizeof(int);
}
