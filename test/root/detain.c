/*
 * detain NUMBER COMMAND [ARG...]: who makes a system call, of the command and
 * all that it starts, waits in it for as long as the command runs; and exits as
 * that does. seccomp_unotify(2): nobody answers.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3)
    return 99;
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(argv[1]), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  int status,
      listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                              SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0)
    return 99;
  pid_t command = fork();
  if (command == 0) {
    close(listener);
    execvp(argv[2], argv + 2);
    _exit(99);
  }
  waitpid(command, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
