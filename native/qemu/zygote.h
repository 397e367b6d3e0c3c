#pragma once
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define MOST_FDS 60

enum { FORK, SIGNAL, ENDED, READY };

// FORK: the copy has these descriptors in the places `numbers`. SIGNAL: the process, and the signal.
struct request { int32_t kind, count, numbers[MOST_FDS + 2]; };
// FORK: `pid`, or why not. ENDED: how the process ended, as wait(2) says. READY: the first.
struct reply { int32_t kind, pid, error, status; };

// A system call that leaves errno alone: a parked thread's belongs to what it was doing.
#define system_call(...) system_call_n(__VA_ARGS__, 0L, 0L, 0L, 0L, 0L, 0L)
#define system_call_n(number, a, b, c, d, e, ...) raw_system_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
long raw_system_call(long number, long a, long b, long c, long d, long e);

// A new thread that begins with rt_sigreturn from the frame. Its id, or -1.
long clone_into_frame(long flags, ucontext_t *frame, int *tid, void *storage);

// The C library asks the kernel on which processor the thread runs, and no longer what the kernel wrote before (rseq).
void forget_processor(void *storage);

// The numbers that a directory of /proc has as names.
int numbers_in(const char *directory, long *numbers, int most);

size_t receive_request(int control, struct request *request, int *fds);
// Ends the process if it cannot be done.
void replace_descriptors(const struct request *request, const int *fds);
// The process starts no programs from now on, and copies itself no more unless that is allowed.
void deny_programs(bool may_fork);
_Noreturn void give_up(const char *step, int error);
