// The kernel's own time for making and removing a network: the taps and netlink messages of
// src/net/bridge/fabric.ts in the same order, from C. A line "create N" makes three bridges and N taps in the
// namespace that it runs in; "delete" removes them. It answers each line with the nanoseconds taken. It ends
// with its input, or when the kernel refuses something.
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NETS = 3, MOST_TAPS = 3 * 253, WINDOW = 128, FIRST_BRIDGE = 100000, GROUP = 0x7863, MTU = 1500 };

static int netlink;
static int taps[MOST_TAPS];
static int tap_count;

static struct {
  _Alignas(NLMSG_ALIGNTO) char bytes[1 << 16];
  size_t length;
  unsigned messages;
  struct nlmsghdr *last;
} batch;
static unsigned sequence;

static void die(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Reads answers up to that of `wanted`. Any error ends the program.
static void await_ack(unsigned wanted) {
  static char answer[1 << 16];
  for (;;) {
    ssize_t length = recv(netlink, answer, sizeof answer, 0);
    if (length < 0) die("recv");
    for (struct nlmsghdr *head = (void *)answer; NLMSG_OK(head, length); head = NLMSG_NEXT(head, length)) {
      if (head->nlmsg_type != NLMSG_ERROR) continue;
      struct nlmsgerr *error = NLMSG_DATA(head);
      errno = -error->error;
      if (errno) die("netlink request");
      if (head->nlmsg_seq == wanted) return;
    }
  }
}

// Sends one datagram, whose last message alone requests an acknowledgement.
static void flush(void) {
  if (batch.messages == 0) return;
  batch.last->nlmsg_flags |= NLM_F_ACK;
  if (send(netlink, batch.bytes, batch.length, 0) < 0) die("send");
  await_ack(batch.last->nlmsg_seq);
  batch.length = batch.messages = 0;
}

static void *grow(size_t size) {
  void *room = batch.bytes + batch.length;
  memset(room, 0, NLMSG_ALIGN(size));
  batch.length += NLMSG_ALIGN(size);
  return room;
}

static void *begin(int type, int flags, size_t header) {
  if (batch.messages == WINDOW) flush();
  struct nlmsghdr *head = grow(sizeof *head);
  head->nlmsg_type = type;
  head->nlmsg_flags = NLM_F_REQUEST | flags;
  head->nlmsg_seq = ++sequence;
  batch.last = head;
  batch.messages++;
  return grow(header);
}

static void end(void) { batch.last->nlmsg_len = batch.bytes + batch.length - (char *)batch.last; }

static struct rtattr *open_attribute(int type) {
  struct rtattr *attribute = grow(sizeof *attribute);
  attribute->rta_type = type;
  return attribute;
}

static void close_attribute(struct rtattr *attribute) {
  attribute->rta_len = batch.bytes + batch.length - (char *)attribute;
}

static void put(int type, const void *value, size_t size) {
  struct rtattr *attribute = open_attribute(type);
  memcpy(grow(size), value, size);
  attribute->rta_len = RTA_LENGTH(size);
}

static void put_u32(int type, unsigned value) { put(type, &value, sizeof value); }
static void put_u16(int type, unsigned short value) { put(type, &value, sizeof value); }
static void put_u8(int type, unsigned char value) { put(type, &value, sizeof value); }
static void put_text(int type, const char *text) { put(type, text, strlen(text) + 1); }

static struct ifinfomsg *begin_link(int flags) { return begin(RTM_NEWLINK, flags, sizeof(struct ifinfomsg)); }

static void address_mode(unsigned char mode) {
  struct rtattr *families = open_attribute(IFLA_AF_SPEC), *family = open_attribute(AF_INET6);
  put_u8(IFLA_INET6_ADDR_GEN_MODE, mode);
  close_attribute(family);
  close_attribute(families);
}

static struct ifinfomsg *begin_up(void) {
  struct ifinfomsg *link = begin_link(0);
  link->ifi_flags = link->ifi_change = IFF_UP;
  return link;
}

static void up(const char *name) {
  begin_up();
  put_text(IFLA_IFNAME, name);
  end();
}

static void address(int net, int family) {
  struct ifaddrmsg *head = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *head);
  unsigned char bytes[16] = {192, 168, net, 250};
  if (family == AF_INET6) memcpy(bytes, (unsigned char[]){0xfd, [12] = 192, 168, net, 250}, 16);
  size_t size = family == AF_INET ? 4 : 16;
  *head = (struct ifaddrmsg){.ifa_family = family, .ifa_prefixlen = size * 8 - 8, .ifa_index = FIRST_BRIDGE + net};
  put(IFA_LOCAL, bytes, size);
  put(IFA_ADDRESS, bytes, size);
  if (family == AF_INET6) put_u32(IFA_FLAGS, IFA_F_NODAD);
  end();
}

static void bridge(int net) {
  char name[IFNAMSIZ];
  snprintf(name, sizeof name, "xcbr%d", net);
  begin_link(NLM_F_CREATE | NLM_F_EXCL)->ifi_index = FIRST_BRIDGE + net;
  put(IFLA_ADDRESS, (unsigned char[]){0, 0, 0, 1, net, 250}, 6);
  put_u32(IFLA_MTU, MTU);
  put_u32(IFLA_GROUP, GROUP);
  put_text(IFLA_IFNAME, name);
  struct rtattr *info = open_attribute(IFLA_LINKINFO);
  put(IFLA_INFO_KIND, "bridge", 6);
  struct rtattr *data = open_attribute(IFLA_INFO_DATA);
  put_u8(IFLA_BR_MCAST_SNOOPING, 0);
  put_u16(IFLA_BR_GROUP_FWD_MASK, 0x4000);
  put_u32(IFLA_BR_STP_STATE, 0);
  close_attribute(data);
  close_attribute(info);
  end();
  begin_link(0);
  address_mode(net == 1 ? IN6_ADDR_GEN_MODE_NONE : IN6_ADDR_GEN_MODE_EUI64);
  put_text(IFLA_IFNAME, name);
  end();
  if (net == 1) return;
  address(net, AF_INET);
  address(net, AF_INET6);
}

static void snoop(int net) {
  begin_link(0)->ifi_index = FIRST_BRIDGE + net;
  struct rtattr *info = open_attribute(IFLA_LINKINFO);
  put(IFLA_INFO_KIND, "bridge", 6);
  struct rtattr *data = open_attribute(IFLA_INFO_DATA);
  put_u8(IFLA_BR_MCAST_SNOOPING, 1);
  close_attribute(data);
  close_attribute(info);
  end();
}

static void name_tap(int at, char *name) {
  snprintf(name, IFNAMSIZ, "xcbr%d_t%hhu", at % NETS, (unsigned char)(at / NETS + 1));
}

static void open_tap(int at) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL | IFF_VNET_HDR};
  name_tap(at, request.ifr_name);
  taps[at] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (taps[at] < 0 || ioctl(taps[at], TUNSETIFF, &request) < 0) die(request.ifr_name);
}

static void attach_tap(int at) {
  char name[IFNAMSIZ];
  name_tap(at, name);
  begin_link(0);
  put_u32(IFLA_MTU, MTU);
  put_u32(IFLA_MASTER, FIRST_BRIDGE + at % NETS);
  put_u32(IFLA_GROUP, GROUP);
  address_mode(IN6_ADDR_GEN_MODE_NONE);
  put_text(IFLA_IFNAME, name);
  end();
  up(name);
}

static void create(int count) {
  for (tap_count = 0; tap_count < count; tap_count++) open_tap(tap_count);
  for (int net = 0; net < NETS; net++) bridge(net);
  for (int at = 0; at < count; at++) attach_tap(at);
  for (int net = 0; net < NETS; net++) {
    begin_up()->ifi_index = FIRST_BRIDGE + net;
    end();
  }
  for (int net = 0; net < NETS; net++) snoop(net);
  up("lo");
  flush();
}

static void delete (void) {
  begin(RTM_DELLINK, 0, sizeof(struct ifinfomsg));
  put_u32(IFLA_GROUP, GROUP);
  end();
  flush();
  while (tap_count > 0) close(taps[--tap_count]);
}

int main(void) {
  char line[64];
  int count;
  if ((netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) < 0) die("socket");
  while (fgets(line, sizeof line, stdin)) {
    long long began = now();
    if (sscanf(line, "create %d", &count) == 1 && count <= MOST_TAPS)
      create(count);
    else
      delete ();
    printf("%lld\n", now() - began);
    fflush(stdout);
  }
  return 0;
}
