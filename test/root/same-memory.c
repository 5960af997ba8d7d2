/* same-memory PID PID: exits with 0 where both have one, kcmp(2), and else
 * with 1. */
#include <linux/kcmp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 3)
    return 99;
  long result = syscall(SYS_kcmp, atoi(argv[1]), atoi(argv[2]), KCMP_VM, 0, 0);
  return result < 0 ? 99 : result != 0;
}
