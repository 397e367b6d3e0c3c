// The host's hand in a guest. It waits on a virtio port for frames, carries out the steps of configurations, and runs
// commands. It has no knowledge of its own: the host computes what every step does (src/guest/message.ts).
//
//   xcluster-guest PORT         serves the port; `-` is standard input
//   xcluster-guest --console    waits for the first key, then becomes a login shell
//   xcluster-guest --put|--get  receives or sends files, as a command of the host (put.c, get.c)
//
// docs/guest-channel.md describes the frames.
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct step_head {
  uint32_t length;
  uint16_t kind, unused;
};

// What came from the port and is not taken yet. One frame fits, and what a read brings of the next one.
static uint8_t received[(256 << 10) + (64 << 10)] __attribute__((aligned(8)));
static size_t taken, end;
// Frames that wait for room in the port, from `sent` on. A write wakes the host, so frames that are said together go
// together; virtio_console takes a write of this size whole or not at all.
static uint8_t sending[LONGEST] __attribute__((aligned(8)));
static size_t sent, whole;
static int port;

struct outcome failed(int error, const char *text) {
  struct outcome outcome = {.error = error};
  snprintf(outcome.text, sizeof outcome.text, "%s", text);
  return outcome;
}

uint8_t *next_payload(void) {
  return sending + whole + sizeof(struct frame);
}

void say(struct frame head) {
  memcpy(sending + whole, &head, sizeof head);
  whole += sizeof head + head.length;
}

size_t payload_room(void) {
  return sizeof sending - sizeof(struct frame) - whole;
}

// True when another piece of output would be a small one.
static int is_full(void) {
  return whole > sizeof sending / 2;
}

// False when the host has closed the port.
static int flush(void) {
  while (sent < whole) {
    ssize_t put = write(port, sending + sent, whole - sent);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno == EAGAIN;
    sent += (size_t)put;
  }
  sent = whole = 0;
  return 1;
}

static struct outcome take_steps(struct bytes steps, uint32_t *number) {
  uint32_t at = 0;
  for (*number = 0; at < steps.length; (*number)++) {
    struct step_head head;
    if (steps.length - at < sizeof head) return failed(EBADMSG, "");
    memcpy(&head, steps.at + at, sizeof head);
    at += (uint32_t)sizeof head;
    if (head.length > steps.length - at) return failed(EBADMSG, "");
    struct outcome outcome = take_step(head.kind, (struct bytes){steps.at + at, head.length});
    if (outcome.error) return outcome;
    at += (head.length + 3) & ~3u;
  }
  return failed(0, "");
}

struct configured {
  int32_t error;
  uint32_t step;
  uint64_t clock;
};

static void configure(uint32_t number, struct bytes steps) {
  struct configured answer = {0};
  struct outcome outcome = take_steps(steps, &answer.step);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  answer.error = outcome.error;
  answer.clock = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  uint32_t length = outcome.error ? (uint32_t)strlen(outcome.text) : 0;
  memcpy(next_payload(), &answer, sizeof answer);
  memcpy(next_payload() + sizeof answer, outcome.text, length);
  say((struct frame){.length = (uint32_t)sizeof answer + length, .kind = CONFIGURE, .stream = number});
}

// Moves what is received to the beginning of its place. The steps of a configuration have fields of four bytes.
static void align(void) {
  if (taken == 0) return;
  memmove(received, received + taken, end - taken);
  end -= taken;
  taken = 0;
}

// False when a whole frame has been received.
static int is_partial(void) {
  struct frame head;
  if (end - taken < sizeof head) return 1;
  memcpy(&head, received + taken, sizeof head);
  return end - taken < sizeof head + head.length;
}

// Takes one frame. False when there is no whole one.
static int take_frame(void) {
  if (is_partial()) return 0;
  struct frame head;
  memcpy(&head, received + taken, sizeof head);
  if ((head.kind == CONFIGURE || head.kind == ASK) && taken % 4) align();
  struct bytes payload = {received + taken + sizeof head, head.length};
  taken += sizeof head + head.length;
  if (head.kind == CONFIGURE)
    configure(head.stream, payload);
  else if (head.kind == ASK)
    answer(head.stream, payload);
  else
    command_frame(&head, payload);
  return 1;
}

// Reads what there is. False at the end of the port, and after a frame that is too long for this program.
static int fill(void) {
  align();
  if (end == sizeof received) return 0;
  ssize_t got = read(port, received + end, sizeof received - end);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  end += (size_t)got;
  return got > 0;
}

// Reads on until a frame is whole or nothing is left: one read gives 4 KiB at most (drivers/char/virtio_console.c).
static int fill_frame(void) {
  size_t before;
  do {
    before = end - taken;
    if (!fill()) return 0;
  } while (end - taken > before && is_partial());
  return 1;
}

static void set_blocking(int blocking) {
  static int is = 1;
  if (is == blocking) return;
  is = blocking;
  fcntl(port, F_SETFL, blocking ? O_RDWR : O_RDWR | O_NONBLOCK);
}

// Waits, then reads. While there are no commands a read alone is enough, which a clone has less code to translate for.
static int wait_and_read(void) {
  int alone = whole == 0 && !commands_run();
  set_blocking(alone);
  if (alone) return fill();
  struct pollfd polls[1 + MOST_POLLS];
  polls[0] = (struct pollfd){.fd = port, .events = (short)(whole > 0 ? POLLOUT : POLLIN)};
  size_t count = commands_wait(polls + 1);
  if (poll(polls, 1 + count, -1) < 0) return 1;
  commands_woke(polls + 1, count);
  if (polls[0].revents & (POLLHUP | POLLERR)) return 0;
  return whole > 0 || !polls[0].revents || fill_frame();
}

int flush_whole(void) {
  set_blocking(1);
  return flush();
}

// The host has gone: takes what it had sent, which may end commands, and answers nothing.
static void take_rest(void) {
  size_t before;
  set_blocking(0);
  do {
    while (sent = whole = 0, take_frame()) {}
    before = end - taken;
  } while (fill() && end - taken > before);
}

static void serve(void) {
  for (;;) {
    int all = 0;
    while (!is_full() && !all) all = !commands_say();
    if (!flush()) break;
    if (whole == 0 && (take_frame() || !all)) continue;
    if (!wait_and_read()) break;
  }
  take_rest();
}

// What an earlier instance of this program has left unread begins in the middle of a frame. The host answers a random
// number by the same one, and goes on after it.
static int find_beginning(void) {
  uint8_t number[16];
  if (getrandom(number, sizeof number, 0) != (ssize_t)sizeof number) return 0;
  memcpy(next_payload(), number, sizeof number);
  say((struct frame){.length = sizeof number, .kind = RESTARTED});
  if (!flush()) return 0;
  for (;;) {
    uint8_t *found = end - taken < sizeof number ? NULL : memmem(received + taken, end - taken, number, sizeof number);
    if (found) {
      taken = (size_t)(found - received) + sizeof number;
      return 1;
    }
    if (end - taken > sizeof number) taken = end - sizeof number;
    if (!fill()) return 0;
  }
}

// True when this is not the first instance since the guest has booted.
static int is_restarted(void) {
  int mark = open("/run/xcluster-guest", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (mark >= 0) close(mark);
  return mark < 0 && errno == EEXIST;
}

int put_files(int count, char **arguments);
int get_files(int count, char **arguments);

int main(int count, char **arguments) {
  if (count < 2) return 2;
  if (strcmp(arguments[1], "--put") == 0) return put_files(count, arguments);
  if (strcmp(arguments[1], "--get") == 0) return get_files(count, arguments);
  if (strcmp(arguments[1], "--console") == 0) {
    struct pollfd typed = {.fd = 0, .events = POLLIN};
    while (poll(&typed, 1, -1) < 1) {}
    execl("/bin/ash", "-ash", NULL);
    return 127;
  }
  int here = strcmp(arguments[1], "-") == 0;
  port = here ? fcntl(0, F_DUPFD_CLOEXEC, 3) : open(arguments[1], O_RDWR | O_CLOEXEC);
  if (port < 0) return 1;
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGCHLD);
  sigaddset(&held, SIGPIPE);
  sigprocmask(SIG_SETMASK, &held, NULL);
  allow_processors(1);    // the second one of a clone stays idle, which saves translating its wake-up code
  // A command that ends at once is not interrupted when it starts and when it closes its output: each change between two
  // address spaces costs an emulated processor half a millisecond.
  sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
  mlockall(MCL_CURRENT);  // all pages of this program are in memory before a template is saved
  if ((here ? count == 2 : !is_restarted()) || find_beginning()) serve();
  if (!here) sleep(1);  // the host end is closed for now: init must not restart this program in a tight loop
  return 0;
}
