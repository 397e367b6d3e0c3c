#ifndef XCLUSTER_GUEST_H
#define XCLUSTER_GUEST_H

#include <stddef.h>
#include <stdint.h>

// Why a step failed: an errno, and the kernel's extended ack where it gave one. 0 is success.
struct outcome {
  int error;
  char text[160];
};

struct bytes {
  uint8_t *at;
  uint32_t length;
};

struct outcome failed(int error, const char *text);

// netlink.c: sends one datagram of messages to a netlink protocol. An outcome other than 0 is the first
// refusal.
struct outcome send_netlink(int protocol, struct bytes datagram);
struct outcome put_link_indexes(struct bytes *payload);

// steps.c: carries out one step of an identity. It may use the first `count` processors only.
void allow_processors(size_t count);
struct outcome take_step(uint16_t kind, struct bytes payload);

#endif
