/*
 * interrupt N[,N]... HOOK COMMAND...: runs COMMAND, and before its Nth system
 * call the shell command HOOK, which finds COMMAND's process in $PID. What HOOK
 * exits with, but for 0, is the error that the call fails with, errno(3). Once
 * COMMAND executes a program, that runs on untraced. Exits as it does, or with
 * 99 where it makes fewer calls than the last N.
 */
#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
static void skip_call(pid_t pid) {
  ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1L);
}

static void set_result(pid_t pid, long result) {
  ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), result);
}
#else
static void skip_call(pid_t pid) {
  int call = -1;
  struct iovec data = {&call, sizeof call};
  ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &data);
}

static void set_result(pid_t pid, long result) {
  struct user_regs_struct registers;
  struct iovec data = {&registers, sizeof registers};
  ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &data);
  registers.regs[0] = (unsigned long)result;
  ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &data);
}
#endif

static pid_t start(char **command) {
  char number[24];
  pid_t pid = fork();
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execvp(command[0], command);
    _exit(127);
  }
  snprintf(number, sizeof number, "%d", pid);
  setenv("PID", number, 1);
  waitpid(pid, NULL, 0);
  ptrace(PTRACE_SETOPTIONS, pid, 0,
         PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
  return pid;
}

static int exit_as(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv) {
  enum { AT_CALL = SIGTRAP | 0x80, AT_EXEC = SIGTRAP | PTRACE_EVENT_EXEC << 8 };
  int status, executed = 0, is_entry = 0, error = 0, signal = 0;
  long calls = 0;
  if (argc < 4)
    return 2;
  char *next = argv[1];
  pid_t pid = start(argv + 3);
  for (;; signal = 0) {
    ptrace(PTRACE_SYSCALL, pid, 0, signal);
    if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
      break;
    if (status >> 8 == AT_EXEC) {
      if (++executed == 2) {
        ptrace(PTRACE_DETACH, pid, 0, 0);
        waitpid(pid, &status, 0);
        break;
      }
      is_entry = 0; /* the next stop is the end of this execve */
    } else if (WSTOPSIG(status) != AT_CALL) {
      signal = WSTOPSIG(status);
    } else {
      if (executed && is_entry && ++calls == strtol(next, NULL, 10)) {
        strtol(next, &next, 10);
        next += *next == ',';
        error = exit_as(system(argv[2]));
        if (error)
          skip_call(pid);
      } else if (!is_entry && error) {
        set_result(pid, -error);
        error = 0;
      }
      is_entry = !is_entry;
    }
  }
  return *next != '\0' ? 99 : exit_as(status);
}
