// The commands of the host: each has a stream of frames of its own, with credit in each direction. What a command
// writes is read when the host has given credit for it, and input is accepted as far as this program has given credit;
// so nothing here grows, and no command waits for the reader of another.
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

// Bytes of input that a command has waiting here at most.
enum { WINDOW = 128 << 10 };
enum { TERMINAL = 1, ONLY_THESE_VARIABLES = 2 };
// The status of a command that the host has given up.
enum { UNKNOWN = -1 };

struct opening {
  uint32_t flags, credit[2];
  uint16_t rows, columns, words, variables;
};
struct opened {
  int32_t error;
  uint32_t pid, window;
};

struct command {
  uint32_t stream;
  pid_t pid;
  int terminal;
  int files[3];
  // Bytes of each output that the host takes.
  uint32_t credit[3];
  // True until a read has found nothing.
  int ready[3];
  uint8_t *input;
  size_t at, end;
  // Bytes of input that the command has taken and the host does not know of.
  uint32_t owed;
  int input_ends, unwanted;
  int exited, status;
};

static struct command *commands[MOST_COMMANDS];
static int running;
// Processes without a stream that this program has to reap.
static int strays;
static int signals = -1;

int commands_run(void) {
  return running + strays > 0;
}

static struct command *find(uint32_t stream) {
  for (int i = 0; i < MOST_COMMANDS; i++)
    if (commands[i] && commands[i]->stream == stream) return commands[i];
  return NULL;
}

static void shut(struct command *command, int which) {
  if (command->files[which] >= 0) close(command->files[which]);
  command->files[which] = -1;
}

static void forget(struct command *command) {
  for (int which = IN; which <= ERR; which++) shut(command, which);
  for (int i = 0; i < MOST_COMMANDS; i++)
    if (commands[i] == command) commands[i] = NULL;
  free(command->input);
  free(command);
  running--;
}

static void say_number(struct frame head, uint32_t number) {
  head.length = sizeof number;
  memcpy(next_payload(), &number, sizeof number);
  say(head);
}

static void say_exit(uint32_t stream, int status) {
  say_number((struct frame){.kind = EXITED, .stream = stream}, (uint32_t)status);
}

static int is_given(char *const *array, size_t count, const char *variable) {
  size_t length = strcspn(variable, "=") + 1;
  for (size_t i = 0; i < count; i++)
    if (strncmp(array[i], variable, length) == 0) return 1;
  return 0;
}

// The words after `opening`, each with its NUL, as an array that ends with NULL; then those variables of `more` that are
// not among them. NULL when there are fewer.
static char **strings(struct bytes *from, size_t count, char *const *more) {
  size_t others = 0;
  while (more && more[others]) others++;
  char **array = calloc(count + others + 1, sizeof *array);
  for (size_t i = 0; array && i < count; i++) {
    uint8_t *nul = memchr(from->at, 0, from->length);
    if (!nul) {
      free(array);
      return NULL;
    }
    array[i] = (char *)from->at;
    from->length -= (uint32_t)(nul + 1 - from->at);
    from->at = nul + 1;
  }
  size_t end = count;
  for (size_t i = 0; array && i < others; i++)
    if (!is_given(array, count, more[i])) array[end++] = more[i];
  return array;
}

static int open_pipes(int *ours, int *theirs) {
  for (int which = IN; which <= ERR; which++) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return errno;
    theirs[which] = ends[which == IN ? 0 : 1];
    ours[which] = ends[which == IN ? 1 : 0];
  }
  return 0;
}

static int open_files(const struct opening *opening, int *ours, int *theirs) {
  if (!(opening->flags & TERMINAL)) return open_pipes(ours, theirs);
  int ends[2];
  int error = open_terminal(ends);
  if (error) return error;
  struct winsize size = {.ws_row = opening->rows, .ws_col = opening->columns};
  ioctl(ends[0], TIOCSWINSZ, &size);
  ours[OUT] = ends[0];
  ours[IN] = fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
  for (int which = IN; which <= ERR; which++) theirs[which] = which == ERR ? ends[1] : fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
  return 0;
}

extern char **environ;

// -errno, or the process.
static int start(struct command *command, const struct opening *opening, struct bytes rest) {
  int theirs[3] = {-1, -1, -1};
  char **words = strings(&rest, opening->words, NULL);
  char **variables =
      words ? strings(&rest, opening->variables, opening->flags & ONLY_THESE_VARIABLES ? NULL : environ) : NULL;
  int result = !variables || opening->words == 0 ? -EBADMSG : -open_files(opening, command->files, theirs);
  if (result == 0)
    result = launch(&(struct program){
        .words = words, .environment = variables, .files = theirs, .terminal = command->terminal});
  for (int which = IN; which <= ERR; which++) {
    if (theirs[which] >= 0) close(theirs[which]);
    if (command->files[which] >= 0) fcntl(command->files[which], F_SETFL, O_NONBLOCK | fcntl(command->files[which], F_GETFL));
  }
  free(words);
  free(variables);
  return result;
}

static int watch_children(void) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  if (signals < 0) signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  return signals >= 0;
}

static void say_opened(uint32_t stream, int result) {
  struct opened opened = {.error = result < 0 ? -result : 0, .pid = result > 0 ? (uint32_t)result : 0, .window = WINDOW};
  memcpy(next_payload(), &opened, sizeof opened);
  say((struct frame){.length = sizeof opened, .kind = OPEN, .stream = stream});
}

// What a command wrote before it ended is in its pipes: they are read once more.
static void reap(void) {
  struct signalfd_siginfo information;
  while (read(signals, &information, sizeof information) > 0) {}
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    struct command *found = NULL;
    for (int i = 0; i < MOST_COMMANDS; i++)
      if (commands[i] && commands[i]->pid == pid) found = commands[i];
    if (found) {
      found->exited = found->ready[OUT] = found->ready[ERR] = 1;
      found->status = status;
    } else if (strays > 0) {
      strays--;
    }
  }
  if (errno == ECHILD) strays = 0;
}

static void open_command(uint32_t stream, struct bytes payload) {
  struct opening opening;
  int place = 0;
  while (place < MOST_COMMANDS && commands[place]) place++;
  if (payload.length < sizeof opening || find(stream)) return say_opened(stream, -EBADMSG);
  if (place == MOST_COMMANDS) return say_opened(stream, -EAGAIN);
  memcpy(&opening, payload.at, sizeof opening);
  struct bytes rest = {payload.at + sizeof opening, payload.length - (uint32_t)sizeof opening};
  struct command *command = calloc(1, sizeof *command);
  uint8_t *input = malloc(WINDOW);
  if (!command || !input || !watch_children()) {
    free(command);
    free(input);
    return say_opened(stream, -ENOMEM);
  }
  *command = (struct command){.stream = stream,
      .terminal = opening.flags & TERMINAL,
      .files = {-1, -1, -1},
      .credit = {0, opening.credit[0], opening.credit[1]},
      .input = input};
  commands[place] = command;
  running++;
  int result = start(command, &opening, rest);
  command->pid = result;
  if (result < 0) {
    strays++;  // a child may have been made, and have failed to execute the program
    forget(command);
  }
  say_opened(stream, result);
  if (result > 0) reap();  // a short one may have ended meanwhile, and one write has all of it
}

static void drop_input(struct command *command) {
  shut(command, IN);
  command->at = command->end = 0;
  command->unwanted = !command->input_ends;
}

// Passes on what the command takes now. Returns the number of bytes.
static size_t pass(struct command *command, const uint8_t *at, size_t length) {
  if (command->files[IN] < 0 || length == 0) return 0;
  ssize_t put = write(command->files[IN], at, length);
  if (put < 0 && errno != EAGAIN && errno != EINTR) drop_input(command);
  if (put <= 0) return 0;
  command->owed += (uint32_t)put;
  return (size_t)put;
}

static void finish_input(struct command *command) {
  if (!command->input_ends || command->at < command->end || command->files[IN] < 0) return;
  if (command->terminal)
    pass(command, (const uint8_t *)"\4", 1);  // the end of a file, as it is typed
  else
    shut(command, IN);
}

static void pass_waiting(struct command *command) {
  command->at += pass(command, command->input + command->at, command->end - command->at);
  if (command->at >= command->end) command->at = command->end = 0;
  finish_input(command);
}

static void take_input(struct command *command, struct bytes bytes) {
  size_t waiting = command->end - command->at;
  size_t put = waiting == 0 ? pass(command, bytes.at, bytes.length) : 0;
  size_t left = bytes.length - put;
  if (command->files[IN] < 0 || left == 0 || left > WINDOW - waiting) return;
  if (left > WINDOW - command->end) {
    memmove(command->input, command->input + command->at, waiting);
    command->at = 0;
    command->end = waiting;
  }
  memcpy(command->input + command->end, bytes.at + put, left);
  command->end += left;
}

// Reads the outputs on, in a process of its own, so that the command does not notice that its reader has left.
static void discard(const struct command *command) {
  pid_t child = fork();
  if (child > 0) strays++;
  if (child != 0) return;
  static char bytes[4096];
  struct pollfd outputs[2] = {{.fd = dup(command->files[OUT])}, {.fd = dup(command->files[ERR])}};
  int kept[2] = {outputs[0].fd, outputs[1].fd};
  for (int fd = 0; fd < 1024; fd++)
    if (fd != kept[0] && fd != kept[1]) close(fd);
  outputs[0].events = outputs[1].events = POLLIN;
  while (outputs[0].fd >= 0 || outputs[1].fd >= 0) {
    poll(outputs, 2, -1);
    for (int i = 0; i < 2; i++)
      if (outputs[i].revents && read(outputs[i].fd, bytes, sizeof bytes) == 0) outputs[i].fd = -1;
  }
  _exit(0);
}

static void close_command(struct command *command, uint32_t detached) {
  uint32_t stream = command->stream;
  if (detached && !command->exited && !command->terminal) discard(command);
  if (!command->exited) strays++;
  forget(command);
  say_exit(stream, UNKNOWN);
}

static void resize(struct command *command, struct bytes payload) {
  uint16_t numbers[2];
  if (payload.length < sizeof numbers || !command->terminal) return;
  memcpy(numbers, payload.at, sizeof numbers);
  struct winsize size = {.ws_row = numbers[0], .ws_col = numbers[1]};
  ioctl(command->files[OUT], TIOCSWINSZ, &size);
}

void command_frame(const struct frame *head, struct bytes payload) {
  if (head->kind == OPEN) return open_command(head->stream, payload);
  struct command *command = find(head->stream);
  if (!command) return;  // it has ended meanwhile
  uint32_t number = 0;
  if (payload.length >= sizeof number) memcpy(&number, payload.at, sizeof number);
  if (head->kind == DATA) take_input(command, payload);
  if (head->kind == END && head->which == IN) command->input_ends = 1, finish_input(command);
  if (head->kind == END && (head->which == OUT || head->which == ERR)) shut(command, head->which);
  if (head->kind == CREDIT && (head->which == OUT || head->which == ERR)) command->credit[head->which] += number;
  if (head->kind == SIGNAL && !command->exited) kill(-command->pid, (int)number);
  if (head->kind == SIZE) resize(command, payload);
  if (head->kind == CLOSE) close_command(command, number);
}

static int say_output(struct command *command, uint16_t which) {
  size_t room = payload_room();
  if (command->files[which] < 0 || !command->ready[which] || command->credit[which] == 0) return 0;
  ssize_t got = read(command->files[which], next_payload(), room < command->credit[which] ? room : command->credit[which]);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return command->ready[which] = errno == EINTR, 0;
  struct frame head = {.stream = command->stream, .which = which};
  if (got <= 0) {  // the other side of a pseudo-terminal is closed: EIO
    shut(command, which);
    head.kind = END;
  } else {
    command->credit[which] -= (uint32_t)got;
    head.kind = DATA;
    head.length = (uint32_t)got;
  }
  say(head);
  return 1;
}

static int is_quiet(const struct command *command, int which) {
  return command->files[which] < 0 || !command->ready[which];
}

static int say_one(struct command *command) {
  struct frame head = {.stream = command->stream, .which = IN, .kind = END};
  if (command->unwanted) {
    command->unwanted = 0;
    say(head);
    return 1;
  }
  if (command->owed >= WINDOW / 4) {
    head.kind = CREDIT;
    say_number(head, command->owed);
    command->owed = 0;
    return 1;
  }
  if (say_output(command, OUT) || say_output(command, ERR)) return 1;
  if (!command->exited || !is_quiet(command, OUT) || !is_quiet(command, ERR)) return 0;
  say_exit(command->stream, command->status);
  forget(command);
  return 1;
}

int commands_say(void) {
  static int turn;
  if (running == 0) return 0;
  for (int i = 0; i < MOST_COMMANDS; i++) {
    turn = (turn + 1) % MOST_COMMANDS;
    if (commands[turn] && say_one(commands[turn])) return 1;
  }
  return 0;
}

size_t commands_wait(struct pollfd *polls) {
  size_t count = 0;
  polls[count++] = (struct pollfd){.fd = signals, .events = POLLIN};
  for (int i = 0; i < MOST_COMMANDS; i++) {
    struct command *command = commands[i];
    if (!command) continue;
    polls[count++] = (struct pollfd){
        .fd = command->exited ? -1 : command->files[IN], .events = (short)(command->at < command->end ? POLLOUT : 0)};
    for (int which = OUT; which <= ERR; which++)
      polls[count++] = (struct pollfd){
          .fd = command->credit[which] == 0 || command->ready[which] ? -1 : command->files[which], .events = POLLIN};
  }
  return count;
}

void commands_woke(const struct pollfd *polls, size_t count) {
  size_t at = 1;
  for (int i = 0; i < MOST_COMMANDS && at < count; i++) {
    struct command *command = commands[i];
    if (!command) continue;
    if (polls[at].revents & POLLOUT) pass_waiting(command);
    if (polls[at].revents & POLLERR && command->files[IN] >= 0 && !command->terminal) drop_input(command);
    for (int which = OUT; which <= ERR; which++)
      if (polls[at + (size_t)which].revents) command->ready[which] = 1;
    at += 3;
  }
  if (polls[0].revents) reap();
}
