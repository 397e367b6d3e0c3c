// Internet sockets: binding, and UDP with many datagrams a call. Answers leave from the address that was
// asked, and questions each from a socket of their own.
#include "addon.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 64

// One datagram and its reply, in memory that JavaScript allocates. src/sys/sockets/udp-port.ts has the same layout.
struct slot {
  uint32_t length; // of the query; one longer than `query` was truncated
  uint32_t reply;  // length in bytes, 0 for no reply
  struct sockaddr_in6 peer;
  struct in6_addr local;
  uint32_t next;    // in a train, sent as one datagram (UDP_SEGMENT): 1 + the next slot, 0 for none
  uint32_t follows; // true unless it is the first of its train
  uint8_t spare[4];
  uint8_t answer[2048];
  uint8_t query[4096];
};
_Static_assert(sizeof(struct slot) == 6208, "the layout of src/sys/sockets/udp-port.ts");

union control {
  struct cmsghdr aligned;
  char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

struct batch {
  struct mmsghdr messages[MOST];
  struct iovec places[MOST];
  union control controls[MOST];
};

// bindAddress(fd, address): binds to a sockaddr, and writes back the resulting one, with a port that the
// kernel chose for instance.
napi_value bind_address(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int fd;
  uint8_t *address;
  size_t length;
  if (!take(env, info, 2, arguments) || !to_integer(env, arguments[0], &fd) ||
      !to_bytes(env, arguments[1], &address, &length))
    return NULL;
  socklen_t size = (socklen_t)length;
  if (bind(fd, (struct sockaddr *)address, size) < 0) return fail(env, (struct outcome){errno, "bind"});
  return result(env, getsockname(fd, (struct sockaddr *)address, &size), "getsockname");
}

static bool take_slots(napi_env env, napi_value *arguments, int *fd, struct slot **slots, unsigned *count) {
  uint8_t *bytes;
  size_t length;
  if (!to_integer(env, arguments[0], fd) || !to_bytes(env, arguments[1], &bytes, &length)) return false;
  *slots = (struct slot *)(void *)bytes;
  *count = (unsigned)(length / sizeof(struct slot) > MOST ? MOST : length / sizeof(struct slot));
  if ((uintptr_t)bytes % _Alignof(struct slot) == 0) return true;
  napi_throw_type_error(env, NULL, "slots are aligned");
  return false;
}

static struct msghdr *message(struct batch *batch, unsigned at, struct slot *slot) {
  struct mmsghdr *made = &batch->messages[at];
  *made = (struct mmsghdr){.msg_hdr = {.msg_name = &slot->peer, .msg_namelen = sizeof slot->peer,
                                       .msg_iov = &batch->places[at], .msg_iovlen = 1,
                                       .msg_control = &batch->controls[at], .msg_controllen = sizeof(union control)}};
  return &made->msg_hdr;
}

// receiveBatch(fd, slots): the number of datagrams received, 0 when none are waiting. The socket is of AF_INET6.
napi_value receive_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct batch batch;
  struct slot *slots;
  unsigned count;
  int fd;
  if (!take(env, info, 2, arguments) || !take_slots(env, arguments, &fd, &slots, &count)) return NULL;
  for (unsigned i = 0; i < count; i++) {
    message(&batch, i, &slots[i]);
    batch.places[i] = (struct iovec){slots[i].query, sizeof slots[i].query};
  }
  int got = recvmmsg(fd, batch.messages, count, MSG_DONTWAIT | MSG_TRUNC, NULL);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return from_integer(env, 0);
  for (int i = 0; i < got; i++) {
    struct cmsghdr *part = CMSG_FIRSTHDR(&batch.messages[i].msg_hdr);
    slots[i].length = batch.messages[i].msg_len;
    slots[i].reply = 0;
    slots[i].local = in6addr_any;
    if (part && part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
      memcpy(&slots[i].local, CMSG_DATA(part), sizeof slots[i].local); // ipi6_addr comes first
  }
  return result(env, got, "recvmmsg");
}

static void add_control(struct msghdr *header, int level, int type, const void *value, size_t size) {
  struct cmsghdr *part = (void *)((char *)header->msg_control + CMSG_ALIGN(header->msg_controllen));
  *part = (struct cmsghdr){CMSG_LEN(size), level, type};
  memcpy(CMSG_DATA(part), value, size);
  // Without padding, one address fits where the kernel needs no memory for it (____sys_sendmsg, net/socket.c).
  header->msg_controllen = (size_t)((char *)part - (char *)header->msg_control) + CMSG_LEN(size);
}

static void add_sender(struct msghdr *header, struct in6_addr local) {
  header->msg_controllen = 0;
  // No interface is given: the way back may use another one, and a link-local peer has its scope in its address.
  struct in6_pktinfo from = {.ipi6_addr = local};
  if (!IN6_IS_ADDR_UNSPECIFIED(&local)) add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &from, sizeof from);
}

static bool has_reply(const struct slot *slot) { return slot->reply > 0 && slot->reply <= sizeof slot->answer; }

// Takes the replies of the train that begins at a slot, one after another. None is taken twice.
static size_t take_train(struct slot *slots, unsigned at, unsigned count, struct iovec *into) {
  size_t taken = 0;
  for (;;) {
    into[taken++] = (struct iovec){slots[at].answer, slots[at].reply};
    slots[at].reply = 0;
    unsigned next = slots[at].next;
    if (next == 0 || next > count || !has_reply(&slots[next - 1])) return taken;
    at = next - 1;
  }
}

// Sends one by one what the kernel, or a device on the path, does not accept as one train. Returns how many were sent.
static unsigned send_singly(int fd, struct msghdr train, struct in6_addr local) {
  unsigned sent = 0;
  add_sender(&train, local);
  for (size_t left = train.msg_iovlen; left > 0; left--, train.msg_iov++) {
    train.msg_iovlen = 1;
    sent += sendmsg(fd, &train, MSG_DONTWAIT) >= 0;
  }
  return sent;
}

static unsigned send_all(int fd, struct batch *batch, unsigned ready) {
  unsigned sent = 0;
  for (unsigned done = 0; done < ready;) {
    int went = sendmmsg(fd, batch->messages + done, ready - done, MSG_DONTWAIT);
    for (int i = 0; i < went; i++) sent += (unsigned)batch->messages[done++].msg_hdr.msg_iovlen;
    if (went > 0) continue;
    struct msghdr *header = &batch->messages[done++].msg_hdr;
    struct slot *slot = (struct slot *)((char *)header->msg_name - offsetof(struct slot, peer));
    if (header->msg_iovlen > 1) sent += send_singly(fd, *header, slot->local);
  }
  return sent;
}

// sendBatch(fd, slots, count): how many replies of the first `count` slots were sent. One that cannot be sent
// (no room, no receiver, a multicast address as source) is skipped: UDP may lose it.
napi_value send_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct batch batch;
  struct slot *slots;
  unsigned most, count, ready = 0;
  size_t places = 0;
  int fd, given;
  if (!take(env, info, 3, arguments) || !take_slots(env, arguments, &fd, &slots, &most) ||
      !to_integer(env, arguments[2], &given))
    return NULL;
  count = given < 0 ? 0 : (unsigned)given < most ? (unsigned)given : most;
  for (unsigned i = 0; i < count; i++) {
    if (slots[i].follows || !has_reply(&slots[i])) continue;
    uint16_t size = (uint16_t)slots[i].reply;
    struct msghdr *header = message(&batch, ready++, &slots[i]);
    header->msg_iov = &batch.places[places];
    header->msg_iovlen = take_train(slots, i, count, header->msg_iov);
    places += header->msg_iovlen;
    add_sender(header, slots[i].local);
    if (header->msg_iovlen > 1) add_control(header, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
  }
  return from_integer(env, send_all(fd, &batch, ready));
}

// createEpoll(): fd.
napi_value create_epoll(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? fail(env, (struct outcome){errno, "epoll_create1"}) : give(env, fd);
}

// askUdp(epoll, fd, address, question): sends a datagram to a sockaddr from a port that the kernel chooses at random
// (inet_autobind). The socket is one that was released, or a new one for fd -1. Returns its fd, which the epoll watches.
// It receives from that address alone: what is left of another question is dropped.
napi_value ask_udp(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  uint8_t *address, *question, left;
  size_t size, length;
  int epoll, used;
  if (!take(env, info, 4, arguments) || !to_integer(env, arguments[0], &epoll) ||
      !to_integer(env, arguments[1], &used) || !to_bytes(env, arguments[2], &address, &size) ||
      !to_bytes(env, arguments[3], &question, &length))
    return NULL;
  struct sockaddr *peer = (struct sockaddr *)address;
  int family = size < sizeof(struct sockaddr_in) ? -1 : peer->sa_family;
  int fd = used >= 0 ? used : socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  while (used >= 0 && (recv(fd, &left, sizeof left, MSG_DONTWAIT) >= 0 || errno == ECONNREFUSED)) continue;
  if (fd >= 0 && connect(fd, peer, (socklen_t)size) == 0 &&
      (used >= 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) && send(fd, question, length, MSG_NOSIGNAL) >= 0)
    return give(env, fd);
  int error = errno;
  if (fd >= 0) disown(env, fd), close(fd);
  return fail(env, (struct outcome){error, "ask"});
}

// releaseUdp(fd): gives the port back, and forgets the peer. The next question has another port.
napi_value release_udp(napi_env env, napi_callback_info info) {
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  int fd;
  return take_integers(env, info, 1, &fd) ? result(env, connect(fd, &none, sizeof none), "connect") : NULL;
}

// One answer, however long. src/sys/sockets/udp-asker.ts has the same layout. Unwritten memory is not resident.
struct ready {
  uint32_t length, error, fd, spare;
  uint8_t datagram[65520];
};
_Static_assert(sizeof(struct ready) == 65536, "the layout of src/sys/sockets/udp-asker.ts");

// receiveReady(epoll, answers): how many have one datagram each, or an errno, of the sockets that the epoll watches.
napi_value receive_ready(napi_env env, napi_callback_info info) {
  struct epoll_event events[MOST];
  napi_value arguments[2];
  uint8_t *bytes;
  size_t size;
  int epoll;
  if (!take(env, info, 2, arguments) || !to_integer(env, arguments[0], &epoll) ||
      !to_bytes(env, arguments[1], &bytes, &size))
    return NULL;
  struct ready *ready = (struct ready *)(void *)bytes;
  int got = epoll_wait(epoll, events, size / sizeof *ready < MOST ? (int)(size / sizeof *ready) : MOST, 0);
  for (int i = 0; i < got; i++) {
    ssize_t length = recv(events[i].data.fd, ready[i].datagram, sizeof ready[i].datagram, MSG_DONTWAIT);
    ready[i].fd = (uint32_t)events[i].data.fd;
    ready[i].error = length < 0 ? (uint32_t)errno : 0;
    ready[i].length = length < 0 ? 0 : (uint32_t)length;
  }
  return result(env, got, "epoll_wait");
}
