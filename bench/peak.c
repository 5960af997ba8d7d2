/*
 * Starts a program and writes the peak memory of its largest process, a long of
 * KiB (getrusage(2)). Freestanding: execve counts the memory of the caller in
 * with the program's, so the caller must be smaller than any of them.
 */
#include "../ffi/syscall.h"

#include <linux/resource.h>
#include <linux/signal.h>

_Noreturn void launcher_start(char **stack) {
  char **argv = stack + 1;
  char **environment = argv + (long)stack[0] + 1;
  long child = CALL(__NR_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    CALL(__NR_execve, argv[1], argv + 1, environment);
    CALL(__NR_exit_group, 127);
  }
  int status = 1;
  struct rusage usage;
  CALL(__NR_wait4, child, &status, 0, &usage);
  CALL(__NR_write, 1, &usage.ru_maxrss, sizeof usage.ru_maxrss);
  for (;;)
    CALL(__NR_exit_group, status != 0);
}
