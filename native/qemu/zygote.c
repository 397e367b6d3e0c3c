// Loaded into QEMU ahead of its C library: makes it a zygote, from which other QEMUs fork at the point where it stands.
//
// fork(2) copies the calling thread alone. Here all others first park in a signal handler. The copy makes them again: each
// with its stack, its thread-local storage and the kernel's frame of the signal, from which rt_sigreturn(2) goes on.
// Descriptors that processes must not share (sockets, taps, eventfds) get others in their places. Requests come from the
// socket in XCLUSTER_ZYGOTE. Without that variable none of this is active.
#include "zygote.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/prctl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PARK 63 // a signal that neither QEMU nor glibc uses
#define MOST_THREADS 64
#define MOST_CHILDREN 250
#define PATIENCE 500 // milliseconds until all threads must have parked

static struct thread {
  long tid;
  ucontext_t *frame;
  void *storage;
  int *own_tid; // where the C library keeps the thread's id
} threads[MOST_THREADS];

static int control = -1;
static atomic_int wanted, arrived, parked, released;

static struct thread this_thread(ucontext_t *frame) {
  struct thread thread = {.tid = system_call(SYS_gettid), .frame = frame, .storage = (void *)pthread_self()};
  system_call(SYS_prctl, PR_GET_TID_ADDRESS, &thread.own_tid);
  return thread;
}

static void park(int signal, siginfo_t *info, void *frame) {
  (void)signal, (void)info;
  int before = atomic_load(&released), place;
  if (!atomic_load(&wanted) || (place = atomic_fetch_add(&arrived, 1)) >= MOST_THREADS) return;
  threads[place] = this_thread(frame);
  atomic_fetch_add(&parked, 1);
  system_call(SYS_futex, &parked, FUTEX_WAKE_PRIVATE, 1);
  while (atomic_load(&released) == before) system_call(SYS_futex, &released, FUTEX_WAIT_PRIVATE, before, NULL);
}

static bool is_among(const long *tids, int count, long tid) {
  for (int i = 0; i < count; i++)
    if (tids[i] == tid) return true;
  return false;
}

// Signals each thread once. Returns how many there are besides this one.
static int signal_others(long *signalled, int *count) {
  long tasks[MOST_THREADS], self = system_call(SYS_gettid);
  int others = 0, found = numbers_in("/proc/self/task", tasks, MOST_THREADS);
  for (int i = 0; i < found; i++) {
    if (tasks[i] == self) continue;
    others++;
    if (*count >= MOST_THREADS || is_among(signalled, *count, tasks[i])) continue;
    signalled[(*count)++] = tasks[i];
    system_call(SYS_tgkill, getpid(), tasks[i], PARK);
  }
  return others;
}

// True when all other threads stand in `park`. A thread that has made another one before it parked is found on the next look.
static bool park_others(void) {
  long signalled[MOST_THREADS];
  struct timespec tick = {.tv_nsec = 1000 * 1000};
  int count = 0, before = -1;
  atomic_store(&arrived, 0), atomic_store(&parked, 0), atomic_store(&wanted, 1);
  for (int waited = 0; waited < PATIENCE; waited++) {
    int others = signal_others(signalled, &count), now = atomic_load(&parked);
    if (now == others && before == others) return others < MOST_THREADS;
    before = others;
    if (now != others) system_call(SYS_futex, &parked, FUTEX_WAIT_PRIVATE, now, &tick);
  }
  return false;
}

static void release(void) {
  atomic_store(&wanted, 0);
  atomic_fetch_add(&released, 1);
  system_call(SYS_futex, &released, FUTEX_WAKE_PRIVATE, MOST_THREADS);
}

// The copy of a parked thread. It begins at once with what ends its signal handler.
static bool make_again(struct thread *thread) {
  long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
               CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  forget_processor(thread->storage);
  return clone_into_frame(flags, thread->frame, thread->own_tid, thread->storage) > 0;
}

_Noreturn static void become(const struct request *request, const int *fds, pid_t parent) {
  system_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  close(control);
  replace_descriptors(request, fds);
  deny_programs(false);
  for (int i = 0; i < atomic_load(&parked); i++)
    if (!make_again(&threads[i])) give_up("make a thread again", errno);
  for (;;) pause(); // as the first of the process's threads it has to stay
}

static struct child { pid_t pid; int fd; } children[MOST_CHILDREN];
static int child_count;

static struct reply fork_for(const struct request *request, const int *fds) {
  if (child_count == MOST_CHILDREN) return (struct reply){.error = EAGAIN};
  struct thread self = this_thread(NULL);
  struct child *child = &children[child_count];
  pid_t parent = getpid();
  struct reply reply = {.error = EBUSY};
  if (park_others()) {
    long flags = CLONE_PIDFD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
    long pid = system_call(SYS_clone, flags, NULL, &child->fd, self.own_tid, 0);
    if (pid == 0) become(request, fds, parent);
    reply = pid < 0 ? (struct reply){.error = (int)-pid} : (struct reply){.pid = (int)pid};
    if (pid > 0) child->pid = (pid_t)pid, child_count++;
  }
  release();
  return reply;
}

static void answer(struct reply reply) {
  send(control, &reply, sizeof reply, MSG_NOSIGNAL);
}

static void serve(void) {
  struct request request;
  int fds[MOST_FDS];
  size_t given = receive_request(control, &request, fds);
  if (request.kind == FORK) {
    struct reply reply = given == (size_t)request.count ? fork_for(&request, fds) : (struct reply){.error = EINVAL};
    reply.kind = FORK;
    answer(reply);
  }
  for (int i = 0; request.kind == SIGNAL && i < child_count; i++)
    if (children[i].pid == request.numbers[0]) system_call(SYS_pidfd_send_signal, children[i].fd, request.numbers[1], NULL, 0);
  for (size_t i = 0; i < given; i++) close(fds[i]);
}

static void reap(int place) {
  struct reply reply = {.kind = ENDED, .pid = children[place].pid};
  if (waitpid(children[place].pid, &reply.status, WNOHANG) <= 0) return;
  close(children[place].fd);
  children[place] = children[--child_count];
  answer(reply);
}

static void *attend(void *nothing) {
  struct pollfd polled[1 + MOST_CHILDREN] = {{.fd = control, .events = POLLIN}};
  answer((struct reply){.kind = READY});
  for (;;) {
    int count = child_count;
    for (int i = 0; i < count; i++) polled[1 + i] = (struct pollfd){.fd = children[i].fd, .events = POLLIN};
    if (poll(polled, 1 + (nfds_t)count, -1) < 0) continue;
    for (int i = count - 1; i >= 0; i--)
      if (polled[1 + i].revents) reap(i);
    if (polled[0].revents & POLLIN) serve();
    else if (polled[0].revents) return nothing;
  }
}

// In whatever runs ahead of QEMU, as a script in its place does, nothing but this happens.
__attribute__((constructor)) static void begin(void) {
  const char *given = getenv("XCLUSTER_ZYGOTE");
  struct sigaction action = {.sa_sigaction = park, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigfillset(&action.sa_mask);
  if (given && sigaction(PARK, &action, NULL) == 0) control = atoi(given);
}

// QEMU's threads block all signals, but they must park.
__attribute__((visibility("default"))) int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
  int (*theirs)(int, const sigset_t *, sigset_t *) = dlsym(RTLD_NEXT, "pthread_sigmask");
  sigset_t without;
  if (control < 0 || !set || how == SIG_UNBLOCK) return theirs(how, set, old);
  without = *set;
  sigdelset(&without, PARK);
  return theirs(how, &without, old);
}

// QEMU keeps a guest's memory out of copies (ram_block_add, softmmu/physmem.c), because of KVM. Here it belongs in them.
__attribute__((visibility("default"))) int madvise(void *address, size_t length, int advice) {
  static atomic_flag is_attended = ATOMIC_FLAG_INIT;
  pthread_t thread;
  if (control < 0 || advice != MADV_DONTFORK) return (int)syscall(SYS_madvise, address, length, advice);
  if (atomic_flag_test_and_set(&is_attended)) return 0;
  deny_programs(true);
  if (pthread_create(&thread, NULL, attend, NULL) == 0) pthread_detach(thread);
  return 0;
}

// A ring's memory is one for both after a copy. QEMU does without where the kernel has none.
__attribute__((visibility("default"))) int io_uring_queue_init(unsigned entries, void *ring, unsigned flags) {
  int (*theirs)(unsigned, void *, unsigned) = dlsym(RTLD_NEXT, "io_uring_queue_init");
  return control < 0 && theirs ? theirs(entries, ring, flags) : -ENOSYS;
}
