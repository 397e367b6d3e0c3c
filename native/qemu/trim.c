// Loaded into QEMU ahead of its C library (LD_PRELOAD): puts off `malloc_trim`.
//
// QEMU's RCU thread calls it whenever it has nothing to do (util/rcu.c), many times while a VM starts. Each time glibc gives
// every free page back (`mtrim`, malloc/malloc.c), and the start takes it again: hundreds of madvise calls, each with a
// flush of the TLBs of all processors, and the page faults after them. Here all calls within half a second are one, at its
// end. Without a C library of its own it works with any; with one that has no `malloc_trim` it does nothing.
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static atomic_flag due = ATOMIC_FLAG_INIT;

static void *trim(void *pad) {
  struct timespec delay = {.tv_nsec = 500 * 1000 * 1000};
  nanosleep(&delay, NULL);
  atomic_flag_clear(&due);
  int (*theirs)(size_t) = (int (*)(size_t))dlsym(RTLD_NEXT, "malloc_trim");
  if (theirs) theirs((size_t)pad);
  return NULL;
}

// 0 says that nothing was given back, as malloc_trim(3) does.
__attribute__((visibility("default"))) int malloc_trim(size_t pad) {
  pthread_t thread;
  if (atomic_flag_test_and_set(&due)) return 0;
  if (pthread_create(&thread, NULL, trim, (void *)pad) == 0) pthread_detach(thread);
  else atomic_flag_clear(&due);
  return 0;
}
