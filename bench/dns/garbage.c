// Sends malformed traffic: `garbage PORT RATE` sends RATE datagrams a second that look like queries until
// they are parsed, and over TCP, fifty times a second, a message of 64 KiB that consists of compression
// pointers. It sends evenly and with few system calls, because it shares its core with the measuring program.
// At SIGTERM it prints how many of each the kernel accepted per second.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 64, PAUSE_NS = 200000, CHAINS = 50, LONGEST = 65535 };

// After an id and flags: headers that promise 65,535 records; pointers to themselves, backwards and beyond
// the end; truncated labels; records made of pointers; and a valid query that is marked as an answer (QR).
static const char *const bodies[] = {
    "0100 0001ffffffffffff",
    "0100 0001000000000000 c00c00010001",
    "0100 0001000000000001 016103626164000001000100002904d000000000ffff",
    "0100 0001000000000000 3f616161",
    "0100 ffff000000000000 01610000010001",
    "0100 000100000000ffff 01610000010001 c00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00cc00c",
    "0100 0001000000000000 0161c0ff00010001",
    "8180 0001000000000000 01610000010001",
};
enum { BODIES = sizeof bodies / sizeof *bodies };

static volatile sig_atomic_t ended;
static void end(int signal) { ended = signal; }

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t from_hex(const char *hex, unsigned char *into) {
  size_t digits = 0;
  for (unsigned digit; *hex; hex++) {
    if (*hex == ' ' || sscanf((char[]){*hex, 0}, "%1x", &digit) != 1) continue;
    into[digits / 2] = (unsigned char)(digits % 2 ? into[digits / 2] | digit : digit << 4);
    digits++;
  }
  return digits / 2;
}

static int connected(int type, int port) {
  struct sockaddr_in to = {AF_INET, htons((unsigned short)port), {htonl(INADDR_LOOPBACK)}, {0}};
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

struct chain {
  unsigned char bytes[2 + LONGEST];
  size_t written;
  long sent;
};

static void make_chain(struct chain *chain) {
  static const unsigned char head[] = {0xff, 0xff, 0x56, 0x78, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  memcpy(chain->bytes, head, sizeof head);
  for (size_t at = sizeof head; at + 1 < sizeof chain->bytes; at += 2) {
    unsigned before = at < 20 ? 12 : (unsigned)(at - 4) & 0x3fff;
    chain->bytes[at] = (unsigned char)(0xc0 | before >> 8);
    chain->bytes[at + 1] = (unsigned char)before;
  }
}

// Reads all answers and discards them.
static void drain(int fd) {
  static char into[65536];
  while (recv(fd, into, sizeof into, MSG_DONTWAIT) > 0) continue;
}

static void send_chain(int fd, struct chain *chain) {
  ssize_t wrote = send(fd, chain->bytes + chain->written, sizeof chain->bytes - chain->written, MSG_NOSIGNAL);
  if (wrote < 0 && errno != EAGAIN) die("send over TCP");
  if (wrote > 0) chain->written += (size_t)wrote;
  if (chain->written < sizeof chain->bytes) return;
  chain->written = 0;
  chain->sent++;
}

static long send_some(int fd, struct mmsghdr *messages, long count) {
  if (count > AT_ONCE) count = AT_ONCE;
  int went = count > 0 ? sendmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT) : 0;
  return went > 0 ? went : 0;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  int port = atoi(arguments[1]), rate = atoi(arguments[2]);
  static unsigned char datagrams[BODIES][512];
  static struct iovec places[AT_ONCE];
  static struct mmsghdr messages[AT_ONCE];
  for (int i = 0; i < AT_ONCE; i++) {
    unsigned char *datagram = datagrams[i % BODIES];
    places[i] = (struct iovec){datagram, 2 + from_hex(bodies[i % BODIES], datagram + 2)};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &places[i], .msg_iovlen = 1};
  }
  static struct chain chain;
  make_chain(&chain);
  int udp = connected(SOCK_DGRAM, port), tcp = connected(SOCK_STREAM, port);
  signal(SIGTERM, end);
  double began = seconds(), passed;
  long sent = 0;
  while (passed = seconds() - began, !ended) {
    sent += send_some(udp, messages, (long)(passed * rate) - sent);
    if (chain.written > 0 || (double)chain.sent < passed * CHAINS) send_chain(tcp, &chain);
    drain(udp);
    drain(tcp);
    nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
  }
  printf("%.0f %.0f\n", (double)sent / passed, (double)chain.sent / passed);
  return 0;
}
