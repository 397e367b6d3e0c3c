// Gives a guest its identity: waits on a virtio port for a message, carries out its steps, and answers. It has no
// knowledge of its own: the host computes what every step does (src/guest/message.ts).
//
//   xcluster-guest PORT
//   xcluster-guest --console    waits for the first key, then becomes a login shell
//
// A message is its length and number (u32 each), then steps: length and kind (u32, u16, two bytes unused), payload,
// each padded to 4 bytes. The answer is one line: `NUMBER ok CLOCK-NS` or `NUMBER failed STEP ERRNO TEXT`.
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct head {
  uint32_t length, number;
};
struct step_head {
  uint32_t length;
  uint16_t kind, unused;
};

static uint8_t buffer[256 << 10] __attribute__((aligned(8)));

struct outcome failed(int error, const char *text) {
  struct outcome outcome = {.error = error};
  snprintf(outcome.text, sizeof outcome.text, "%s", text);
  return outcome;
}

// False at the end of the stream.
static int read_all(int fd, void *into, size_t length) {
  for (uint8_t *at = into; length > 0;) {
    ssize_t got = read(fd, at, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    at += got;
    length -= (size_t)got;
  }
  return 1;
}

static struct outcome take_steps(uint32_t length, int *number) {
  uint32_t at = 0;
  for (*number = 0; at < length; (*number)++) {
    struct step_head head;
    if (length - at < sizeof head) return failed(EBADMSG, "");
    memcpy(&head, buffer + at, sizeof head);
    at += (uint32_t)sizeof head;
    if (head.length > length - at) return failed(EBADMSG, "");
    struct outcome outcome = take_step(head.kind, (struct bytes){buffer + at, head.length});
    if (outcome.error) return outcome;
    at += (head.length + 3) & ~3u;
  }
  return failed(0, "");
}

static void answer(int port, uint32_t message, struct outcome outcome, int step) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (outcome.error)
    dprintf(port, "%u failed %d %d %s\n", message, step, outcome.error, outcome.text);
  else
    dprintf(port, "%u ok %lld%09ld\n", message, (long long)now.tv_sec, now.tv_nsec);
}

static void serve(int port) {
  struct head head;
  while (read_all(port, &head, sizeof head)) {
    int step = 0;
    struct outcome outcome = failed(EMSGSIZE, "");
    if (head.length > sizeof buffer) {
      answer(port, head.number, outcome, step);
      return;
    }
    if (!read_all(port, buffer, head.length)) return;
    outcome = take_steps(head.length, &step);
    answer(port, head.number, outcome, step);
  }
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  if (strcmp(arguments[1], "--console") == 0) {
    struct pollfd typed = {.fd = 0, .events = POLLIN};
    while (poll(&typed, 1, -1) < 1) {}
    execl("/bin/ash", "-ash", NULL);
    return 127;
  }
  int port = open(arguments[1], O_RDWR | O_CLOEXEC);
  if (port < 0) return 1;
  allow_processors(1);    // the second one of a clone stays idle, which saves translating its wake-up code
  mlockall(MCL_CURRENT);  // all pages of this program are in memory before a template is saved
  serve(port);
  sleep(1);  // the host end is closed for now: init must not restart this program in a tight loop
  return 0;
}
