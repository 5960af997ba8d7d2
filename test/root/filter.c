/*
 * filter NUMBER... -- COMMAND [ARG...]: a seccomp filter answers EPERM to these
 * system calls of the command, as systemd's SystemCallFilter= and
 * RestrictNamespaces= do.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  enum { MOST = 32 };
  struct sock_filter filter[2 * MOST + 2] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  unsigned short length = 1;
  int at = 1;
  for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
    if (at > MOST)
      return 99;
    filter[length++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(argv[at]), 0, 1);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                                    SECCOMP_RET_ERRNO | EPERM);
  }
  filter[length++] =
      (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {length, filter};
  if (at + 1 >= argc ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
    return 99;
  execvp(argv[at + 1], argv + at + 1);
  return 99;
}
