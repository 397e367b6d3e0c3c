#include "guest.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The first fields of the payload, which `put_link_indexes` removes: where in the datagram the index of the
// named link belongs.
struct link_place {
  uint32_t offset;
  char name[IFNAMSIZ];
};

struct outcome put_link_indexes(struct bytes *payload) {
  uint32_t count = 0;
  if (payload->length < sizeof count) return failed(EBADMSG, "");
  memcpy(&count, payload->at, sizeof count);
  uint64_t head = sizeof count + (uint64_t)count * sizeof(struct link_place);
  if (head > payload->length) return failed(EBADMSG, "");
  struct link_place *places = (void *)(payload->at + sizeof count);
  struct bytes datagram = {payload->at + head, (uint32_t)(payload->length - head)};
  for (uint32_t i = 0; i < count; i++) {
    places[i].name[IFNAMSIZ - 1] = 0;
    uint32_t index = if_nametoindex(places[i].name);
    if (index == 0) return failed(errno, places[i].name);
    if ((uint64_t)places[i].offset + sizeof index > datagram.length) return failed(EBADMSG, "");
    memcpy(datagram.at + places[i].offset, &index, sizeof index);
  }
  *payload = datagram;
  return failed(0, "");
}

int open_netlink(int protocol) {
  static const int on = 1;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  // Older kernels lack these options: their refusals have no sentence.
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return fd;
}

// The sentence of an extended acknowledgement: in the attributes after the header of the refused request.
static struct outcome refusal(struct nlmsghdr *message, struct nlmsgerr *ack) {
  if (message->nlmsg_flags & NLM_F_ACK_TLVS) {
    uint8_t *at = (uint8_t *)(ack + 1), *end = (uint8_t *)message + message->nlmsg_len;
    while (at + sizeof(struct nlattr) <= end) {
      struct nlattr *attribute = (void *)at;
      if (attribute->nla_len < sizeof *attribute || at + attribute->nla_len > end) break;
      if (attribute->nla_type == NLMSGERR_ATTR_MSG) return failed(-ack->error, (char *)(attribute + 1));
      at += NLA_ALIGN(attribute->nla_len);
    }
  }
  return failed(-ack->error, "");
}

// The kernel has handled every message when `send` returns (netlink_unicast_kernel,
// net/netlink/af_netlink.c), so all its answers are in the socket by then. No answer is an error: an
// acknowledgement was requested.
static struct outcome collect(int fd) {
  static uint8_t buffer[8192] __attribute__((aligned(4)));
  struct outcome result = failed(ENODATA, "the kernel did not acknowledge the request");
  for (;;) {
    ssize_t length = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (length < 0) return errno == EAGAIN ? result : failed(errno, "");
    struct nlmsghdr *message = (void *)buffer;
    for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
      if (message->nlmsg_type != NLMSG_ERROR) continue;
      struct nlmsgerr *ack = NLMSG_DATA(message);
      if (ack->error != 0) return refusal(message, ack);
      result = failed(0, "");
    }
  }
}

struct outcome send_netlink(int protocol, struct bytes datagram) {
  int fd = open_netlink(protocol);
  if (fd < 0) return failed(errno, "");
  ssize_t sent = send(fd, datagram.at, datagram.length, 0);
  struct outcome result = sent < 0 ? failed(errno, "") : collect(fd);
  close(fd);
  return result;
}
