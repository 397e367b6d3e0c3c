// Internet sockets: bound, and UDP many datagrams a call, answers leaving from the address that was asked.
#include "addon.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define MOST 64

// One datagram and its reply, in memory of JavaScript's: src/sys/udp-port.ts has the same layout.
struct slot {
  uint32_t length; // of the query; more than it has room for: cut off
  uint32_t reply;  // bytes to send, 0 for none
  struct sockaddr_in6 peer;
  struct in6_addr local;
  uint8_t spare[12];
  uint8_t query[1984];
  uint8_t answer[1280];
};
_Static_assert(sizeof(struct slot) == 3328, "the layout of src/sys/udp-port.ts");

union control {
  struct cmsghdr aligned;
  char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct batch {
  struct mmsghdr messages[MOST];
  struct iovec places[MOST];
  union control controls[MOST];
};

// bindAddress(fd, address): a sockaddr; gets what the kernel made of it, a port it chose for instance.
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

static bool take_slots(napi_env env, napi_value *arguments, struct slot **slots, unsigned *count) {
  uint8_t *bytes;
  size_t length;
  if (!to_bytes(env, arguments[1], &bytes, &length)) return false;
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

// receiveBatch(fd, slots): how many datagrams there were, 0 for none now. Of a socket of AF_INET6.
napi_value receive_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct batch batch;
  struct slot *slots;
  unsigned count;
  int fd;
  if (!take(env, info, 2, arguments) || !to_integer(env, arguments[0], &fd) ||
      !take_slots(env, arguments, &slots, &count))
    return NULL;
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

// sendBatch(fd, slots, count): how many replies of the first `count` slots went. One that cannot go (no room, nobody
// there, a multicast address as sender) is skipped: UDP may lose it.
napi_value send_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct batch batch;
  struct slot *slots;
  unsigned most, ready = 0, sent = 0;
  int fd, count;
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &fd) ||
      !take_slots(env, arguments, &slots, &most) || !to_integer(env, arguments[2], &count))
    return NULL;
  for (int i = 0; i < count && (unsigned)i < most; i++) {
    if (slots[i].reply == 0 || slots[i].reply > sizeof slots[i].answer) continue;
    struct msghdr *header = message(&batch, ready, &slots[i]);
    batch.places[ready] = (struct iovec){slots[i].answer, slots[i].reply};
    if (IN6_IS_ADDR_UNSPECIFIED(&slots[i].local)) header->msg_control = NULL, header->msg_controllen = 0;
    union control *control = &batch.controls[ready++];
    // No interface: the way back may be by another one, and a link-local peer has its scope in its address.
    struct in6_pktinfo from = {.ipi6_addr = slots[i].local};
    control->aligned = (struct cmsghdr){CMSG_LEN(sizeof from), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(&control->aligned), &from, sizeof from);
  }
  for (unsigned done = 0; done < ready;) {
    int went = sendmmsg(fd, batch.messages + done, ready - done, MSG_DONTWAIT);
    done += went > 0 ? (unsigned)went : 1;
    if (went > 0) sent += (unsigned)went;
  }
  return from_integer(env, sent);
}
