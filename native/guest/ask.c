// Answers what the host asks: the kernel's answers to a request of netlink as they come, or the content of a file. It
// decodes nothing, and starts no program.
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ASK_ROUTE = 1, ASK_NETFILTER = 2, ASK_FILE = 3 };
// Bytes of one answer. A host drops a guest that sends more (src/guest/questions.ts).
enum { MOST_ANSWERED = 1 << 20 };

// A descriptor to read the answer from, or -errno.
static int open_answer(uint16_t kind, struct bytes asked) {
  if (kind == ASK_FILE) {
    if (!memchr(asked.at, 0, asked.length)) return -EBADMSG;
    int file = open((char *)asked.at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return file < 0 ? -errno : file;
  }
  if (kind != ASK_ROUTE && kind != ASK_NETFILTER) return -ENOSYS;
  int fd = open_netlink(kind == ASK_ROUTE ? NETLINK_ROUTE : NETLINK_NETFILTER);
  if (fd < 0 || send(fd, asked.at, asked.length, 0) >= 0) return fd < 0 ? -errno : fd;
  int error = errno;
  close(fd);
  return -error;
}

// The next datagram or piece of a file: 0 at the end, or -errno. The kernel has answered when `send` returns, and goes
// on with a listing whenever a datagram of it is taken (netlink_recvmsg, net/netlink/af_netlink.c).
static ssize_t read_answer(uint16_t kind, int fd) {
  size_t room = LONGEST - sizeof(struct frame);
  ssize_t got = kind == ASK_FILE ? read(fd, next_payload(), room)
                                 : recv(fd, next_payload(), room, MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0) return errno == EAGAIN ? 0 : -errno;
  return (size_t)got > room ? -EMSGSIZE : got;
}

static int32_t pass_answer(uint32_t stream, uint16_t kind, struct bytes asked) {
  int fd = open_answer(kind, asked);
  if (fd < 0) return -fd;
  ssize_t got;
  size_t passed = 0;
  while ((got = read_answer(kind, fd)) > 0) {
    passed += (size_t)got;
    if (passed > MOST_ANSWERED) {
      got = -EMSGSIZE;
      break;
    }
    say((struct frame){.length = (uint32_t)got, .kind = ASK, .stream = stream});
    if (!flush_whole()) break;
  }
  close(fd);
  return got < 0 ? (int32_t)-got : 0;
}

void answer(uint32_t stream, struct bytes payload) {
  uint16_t kind = 0;
  int32_t error = EBADMSG;
  if (payload.length >= 4) {
    memcpy(&kind, payload.at, sizeof kind);
    error = pass_answer(stream, kind, (struct bytes){payload.at + 4, payload.length - 4});
  }
  memcpy(next_payload(), &error, sizeof error);
  say((struct frame){.length = sizeof error, .kind = ASKED, .stream = stream});
}
