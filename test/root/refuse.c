/*
 * refuse NUMBER ERROR COMMAND [ARG...]: a system call fails for the command,
 * and all that it starts, as where the kernel does not know it, or a
 * container's seccomp filter does not; ERROR 0 kills who calls it, as systemd's
 * SystemCallFilter= does without SystemCallErrorNumber=. (strace 6.1 has no
 * name for statmount to inject by.)
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 4)
    return 99;
  unsigned number = (unsigned)atoi(argv[1]), error = (unsigned)atoi(argv[2]);
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, error == 0 ? SECCOMP_RET_KILL_PROCESS
                                           : SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
    return 99;
  execvp(argv[3], argv + 3);
  return 99;
}
