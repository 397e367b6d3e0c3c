// What depends on processor and kernel.
#include "zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef __x86_64__
#error "a zygote is made for x86-64"
#endif

long raw_system_call(long number, long a, long b, long c, long d, long e) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return result;
}

// The kernel finds the frame where the handler's return would leave the stack pointer (rt_sigreturn, arch/x86/kernel/signal_64.c).
long clone_into_frame(long flags, ucontext_t *frame, int *tid, void *storage) {
  long result;
  register long r10 __asm__("r10") = (long)tid;
  register long r8 __asm__("r8") = (long)storage;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "mov %[sigreturn], %%eax\n\t"
                   "syscall\n"
                   "1:"
                   : "=a"(result)
                   : "a"(SYS_clone), "D"(flags), "S"(frame), "d"(tid), "r"(r10), "r"(r8), [sigreturn] "i"(SYS_rt_sigreturn)
                   : "rcx", "r11", "memory");
  return result;
}

extern const ptrdiff_t __rseq_offset __attribute__((weak));

void forget_processor(void *storage) {
  if (&__rseq_offset) ((int32_t *)((char *)storage + __rseq_offset))[1] = -1; // cpu_id, linux/rseq.h
}

int numbers_in(const char *directory, long *numbers, int most) {
  struct entry { uint64_t inode, offset; uint16_t length; uint8_t type; char name[]; };
  char names[8192];
  int count = 0, fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (long size; fd >= 0 && (size = syscall(SYS_getdents64, fd, names, sizeof names)) > 0;)
    for (long at = 0; at < size && count < most; at += ((struct entry *)(names + at))->length) {
      const char *name = ((struct entry *)(names + at))->name;
      if (*name >= '0' && *name <= '9' && atoi(name) != (strstr(directory, "/fd") ? fd : -1)) numbers[count++] = atol(name);
    }
  if (fd >= 0) close(fd);
  return count;
}

#define DENY(call, error) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

void deny_programs(bool may_fork) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), // x32
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      DENY(SYS_execve, EPERM), DENY(SYS_execveat, EPERM), DENY(SYS_fork, EPERM), DENY(SYS_vfork, EPERM),
      DENY(SYS_clone3, ENOSYS), // its flags cannot be seen; the C library then takes clone
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, may_fork ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) give_up("seccomp", errno);
}
