// recvmsg and sendmsg, with what can accompany the bytes: a netlink sender, truncation, file descriptors.
#include "addon.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MOST_FDS 253 // SCM_MAX_FD, include/net/scm.h: more never arrive in one message

union control {
  struct cmsghdr aligned;
  char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))];
};

static size_t received_fds(struct msghdr *message, int *fds, struct timespec *at, struct tpacket_auxdata *packet) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS) memcpy(at, CMSG_DATA(part), sizeof *at);
    if (part->cmsg_level == SOL_PACKET) memcpy(packet, CMSG_DATA(part), sizeof *packet);
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    memcpy(fds, CMSG_DATA(part), part->cmsg_len - CMSG_LEN(0));
    return (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  }
  return 0;
}

// receive(fd, bytes, flags): { length, truncated, sender?, fds?, at?, vlan? }, or undefined when nothing is waiting. `length`
// is that of the whole message; 0 ends a stream. `at`: SO_TIMESTAMPNS. `vlan`: PACKET_AUXDATA, protocol << 16 | TCI.
napi_value receive_message(napi_env env, napi_callback_info info) {
  napi_value arguments[3], answer, truncated;
  int fd, flags, fds[MOST_FDS];
  struct timespec at = {0};
  struct tpacket_auxdata packet = {0};
  uint8_t *bytes;
  size_t capacity;
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &fd) ||
      !to_bytes(env, arguments[1], &bytes, &capacity) || !to_integer(env, arguments[2], &flags))
    return NULL;
  union control control;
  union { struct sockaddr_storage any; struct sockaddr_nl kernel; } from;
  struct iovec place = {bytes, capacity};
  struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &place, .msg_iovlen = 1,
                           .msg_control = &control, .msg_controllen = sizeof control};
  from.any.ss_family = AF_UNSPEC;
  ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_TRUNC | flags);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return nothing(env);
  if (length < 0) return fail(env, (struct outcome){errno, "recvmsg"});

  napi_create_object(env, &answer);
  set(env, answer, "length", from_integer(env, length));
  napi_get_boolean(env, (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0, &truncated);
  set(env, answer, "truncated", truncated);
  if (message.msg_namelen == sizeof from.kernel && from.any.ss_family == AF_NETLINK)
    set(env, answer, "sender", from_integer(env, from.kernel.nl_pid));
  size_t count = received_fds(&message, fds, &at, &packet);
  if (count > 0) set(env, answer, "fds", give_all(env, fds, count));
  if (packet.tp_status & TP_STATUS_VLAN_VALID)
    set(env, answer, "vlan", from_integer(env, ((int64_t)packet.tp_vlan_tpid << 16) | packet.tp_vlan_tci));
  if (at.tv_sec > 0) set(env, answer, "at", from_integer(env, at.tv_sec * 1000000 + at.tv_nsec / 1000));
  return answer;
}

// send(fd, bytes, fds?): the number of bytes sent, or undefined when the socket has no room now.
napi_value send_message(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int fd, fds[MOST_FDS];
  uint8_t *bytes;
  size_t length, count;
  if (!take(env, info, 3, arguments) || !to_integer(env, arguments[0], &fd) ||
      !to_bytes(env, arguments[1], &bytes, &length) || !to_integers(env, arguments[2], fds, MOST_FDS, &count))
    return NULL;
  union control control = {0};
  struct iovec place = {bytes, length};
  struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    control.aligned = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.aligned), fds, count * sizeof(int));
  }
  ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return nothing(env);
  return result(env, sent, "sendmsg");
}
