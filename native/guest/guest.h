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

// The frames of the port, in both directions (docs/guest-channel.md, src/stream/frame.ts).
enum {
  CONFIGURE = 1,
  OPEN = 2,
  DATA = 3,
  END = 4,
  CREDIT = 5,
  SIGNAL = 6,
  SIZE = 7,
  CLOSE = 8,
  EXITED = 9,
  RESTARTED = 10,
  ASK = 11,
  ASKED = 12,
};
// The stream of bytes that DATA, END and CREDIT are about.
enum { IN, OUT, ERR };

struct frame {
  uint32_t length;
  uint16_t kind, which;
  uint32_t stream;
};

// Bytes of the longest frame that this program sends, its head included: virtio_console takes as much from one write(2),
// whole or not at all, so a program that is killed leaves no part of a frame behind.
enum { LONGEST = 32 << 10 };

struct outcome failed(int error, const char *text);

// main.c: the payload of the next frame to be sent, the bytes that it has room for, and sends it. A frame that is taken
// finds nothing waiting to be sent.
uint8_t *next_payload(void);
size_t payload_room(void);
void say(struct frame head);
// Waits until it has been sent. False when the host has closed the port.
int flush_whole(void);

// netlink.c: a socket of a netlink protocol.
int open_netlink(int protocol);
// Sends one datagram of messages to a netlink protocol. An outcome other than 0 is the first
// refusal.
struct outcome send_netlink(int protocol, struct bytes datagram);
struct outcome put_link_indexes(struct bytes *payload);

// steps.c: carries out one step of an identity.
struct outcome take_step(uint16_t kind, struct bytes payload);
// This program may use the first `count` processors only.
void allow_processors(size_t count);
// Undoes in a child what this program does to itself: its processors and its signals.
void be_ordinary(void);

// ask.c: answers a question of the host, and says that it has.
void answer(uint32_t stream, struct bytes payload);

// commands.c: the commands that run, at most a fixed number of them.
void command_frame(const struct frame *head, struct bytes payload);
// Says one thing that a command has to say. False when there is nothing.
int commands_say(void);
// True while there are commands, or programs that they left.
int commands_run(void);
struct pollfd;
// Adds what the commands wait for to `polls`; returns how many that are.
size_t commands_wait(struct pollfd *polls);
void commands_woke(const struct pollfd *polls, size_t count);
enum { MOST_COMMANDS = 64, MOST_POLLS = 1 + 3 * MOST_COMMANDS };

// launch.c: starts a program with these standard files, in a session of its own. With `terminal`, the first of them is
// its controlling terminal. Returns its process, or -errno.
struct program {
  char **words, **environment;
  const int *files;
  int terminal;
};
int launch(const struct program *program);
// A new pseudo-terminal: `ends` gets this side and the other. 0, or an errno.
int open_terminal(int *ends);

#endif
