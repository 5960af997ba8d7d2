/*
 * Prints everything that a program can observe about how it was started, a
 * named line each ("NAME: VALUE"), into the file argv[1]. Run directly and by
 * nspin, from the same state (odd.c), it must print the same:
 * test/root/state.test.ts.
 *
 * Not printed is what no launcher that execs can hide, as execve(2) keeps it:
 * the resources used until then (ru_maxrss, CPU time, page faults, FDSize in
 * /proc/self/status, which the kernel never shrinks), and what differs from one
 * start to the next anyway (addresses, start time, memory in use).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define LENGTH(array) (sizeof array / sizeof *array)

static FILE *out; /* memory: a file would take a descriptor */

static void bytes(const char *from, size_t count) {
  for (; count > 0; count--, from++)
    if (*from >= ' ' && *from <= '~' && *from != '\\')
      fputc(*from, out);
    else
      fprintf(out, "\\x%02x", (unsigned char)*from);
}

static void text(const char *name, const char *value) {
  fprintf(out, "%s: ", name);
  bytes(value, strlen(value));
  fputc('\n', out);
}

/* The value, or why there is none. */
static void number(const char *name, long long value) {
  if (value == -1 && errno != 0)
    text(name, strerrorname_np(errno));
  else
    fprintf(out, "%s: %lld\n", name, value);
  errno = 0;
}

/* How many, and each. */
static void texts(const char *name, char **list) {
  int i = 0;
  for (; list[i] != NULL; i++) {
    char entry[32];
    sprintf(entry, "%s %d", name, i);
    text(entry, list[i]);
  }
  number(name, i);
}

static const char *link_of(const char *path) {
  static char target[PATH_MAX];
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length < 0)
    return strerrorname_np(errno);
  target[length] = '\0';
  return target;
}

static void descriptor(int fd) {
  char path[64];
  sprintf(path, "/proc/self/fd/%d", fd);
  off_t offset = lseek(fd, 0, SEEK_CUR);
  fprintf(out, "descriptor %d: flags 0%o, own flags %d, offset %lld, ", fd,
          fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), (long long)offset);
  const char *target = link_of(path);
  bytes(target, strlen(target));
  fputc('\n', out);
}

static void descriptors(void) {
  DIR *list = opendir("/proc/self/fd");
  for (struct dirent *entry; (entry = readdir(list)) != NULL;)
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(list))
      descriptor(atoi(entry->d_name));
  closedir(list);
}

static void terminal(int fd) {
  char name[32];
  unsigned char settings[64] = {0}; /* the kernel's struct termios, 36 bytes */
  struct winsize size = {0};
  sprintf(name, "terminal on %d", fd);
  if (ioctl(fd, TCGETS, settings) < 0) {
    number(name, -1);
    return;
  }
  ioctl(fd, TIOCGWINSZ, &size);
  fprintf(out, "%s: %hux%hu, settings ", name, size.ws_row, size.ws_col);
  for (size_t i = 0; i < 36; i++)
    fprintf(out, "%02x", settings[i]);
  fputc('\n', out);
  sprintf(name, "foreground of %d", fd);
  number(name, tcgetpgrp(fd));
  sprintf(name, "session of %d", fd);
  number(name, tcgetsid(fd));
}

static void controlling_terminal(void) {
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  number("controlling terminal", fd < 0 ? -1 : 1);
  if (fd >= 0)
    close(fd);
}

/* What the resources used, and the memory in it, come to: see above. */
static int is_fleeting(const char *line) {
  static const char *const names[] = {
      "Vm",    "Rss",   "Hugetlb",        "FDSize",
      "SigQ",  "State", "Pid:",           "Tgid:",
      "PPid:", "NS",    "voluntary_ctxt", "nonvoluntary_ctxt",
  };
  for (size_t i = 0; i < LENGTH(names); i++)
    if (strncmp(line, names[i], strlen(names[i])) == 0)
      return 1;
  return 0;
}

/* Signals, credentials, capabilities, umask, seccomp, affinity and others. */
static void status(void) {
  char line[4096];
  FILE *file = fopen("/proc/self/status", "re");
  while (fgets(line, sizeof line, file) != NULL) {
    char *value = strchr(line, ':');
    if (is_fleeting(line) || value == NULL)
      continue;
    *value = line[strcspn(line, "\n")] = '\0';
    text(line, value + 1 + strspn(value + 1, "\t "));
  }
  fclose(file);
}

static void proc_file(const char *name) {
  char path[64], content[4096];
  sprintf(path, "/proc/self/%s", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, content, sizeof content);
  if (length < 0) {
    number(name, -1);
  } else {
    fprintf(out, "%s: ", name);
    bytes(content, (size_t)length);
    fputc('\n', out);
  }
  if (fd >= 0)
    close(fd);
}

static void limits(void) {
#define LIMIT(name)                                                            \
  { #name, RLIMIT_##name }
  static const struct {
    const char *name;
    int number;
  } all[] = {
      LIMIT(AS),     LIMIT(CORE),   LIMIT(CPU),        LIMIT(DATA),
      LIMIT(FSIZE),  LIMIT(LOCKS),  LIMIT(MEMLOCK),    LIMIT(MSGQUEUE),
      LIMIT(NICE),   LIMIT(NOFILE), LIMIT(NPROC),      LIMIT(RSS),
      LIMIT(RTPRIO), LIMIT(RTTIME), LIMIT(SIGPENDING), LIMIT(STACK),
  };
  for (size_t i = 0; i < LENGTH(all); i++) {
    struct rlimit limit;
    getrlimit((enum __rlimit_resource)all[i].number, &limit);
    fprintf(out, "limit %s: %lld:%lld\n", all[i].name,
            (long long)limit.rlim_cur, (long long)limit.rlim_max);
  }
}

/* prctl(2) calls that return the value, or write an int to their argument. */
static void settings(void) {
#define BY_VALUE(name) number(#name, prctl(PR_GET_##name, 0, 0, 0, 0))
#define BY_POINTER(name)                                                       \
  do {                                                                         \
    int value = 0;                                                             \
    number(#name, prctl(PR_GET_##name, &value, 0, 0, 0) < 0 ? -1 : value);     \
  } while (0)
  BY_VALUE(DUMPABLE);
  BY_VALUE(KEEPCAPS);
  BY_VALUE(NO_NEW_PRIVS);
  BY_VALUE(SECCOMP);
  BY_VALUE(SECUREBITS);
  BY_VALUE(THP_DISABLE);
  BY_VALUE(TIMERSLACK);
  BY_VALUE(IO_FLUSHER);
  BY_POINTER(CHILD_SUBREAPER);
  BY_POINTER(PDEATHSIG);
#define PR_GET_MDWE 66 /* Linux 6.3 */
  BY_VALUE(MDWE);
#define PR_GET_MEMORY_MERGE 68 /* Linux 6.4 */
  BY_VALUE(MEMORY_MERGE);
  number("MCE_KILL", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
}

static void scheduling(void) {
  unsigned attributes[16] = {0}; /* struct sched_attr, sched_setattr(2) */
  int policy = -1;
  syscall(SYS_sched_getattr, 0, attributes, sizeof attributes, 0);
  fprintf(out, "scheduling:");
  for (size_t i = 1; i < LENGTH(attributes); i++)
    fprintf(out, " %x", attributes[i]);
  fputc('\n', out);
  enum { IOPRIO_WHO_PROCESS = 1 };
  number("ioprio", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
  long result = syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0);
  number("memory policy", result < 0 ? -1 : policy);
}

/* To the nearest 1000 s: some of it has gone by. */
static void timers(void) {
  static const char *const names[] = {"REAL", "VIRTUAL", "PROF"};
  for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
    struct itimerval timer;
    getitimer((enum __itimer_which)which, &timer);
    fprintf(out, "timer %s: %ld, every %ld\n", names[which],
            (timer.it_value.tv_sec + 500) / 1000 * 1000,
            timer.it_interval.tv_sec);
  }
}

static void directory(const char *name, const char *path) {
  struct stat status;
  char label[64];
  sprintf(label, "/proc/self/%s", name);
  text(name, link_of(label));
  if (stat(path, &status) < 0)
    number(path, -1);
  else
    fprintf(out, "%s: device %lx, inode %lu\n", path, status.st_dev,
            status.st_ino);
}

static void namespaces(void) {
  DIR *list = opendir("/proc/self/ns");
  for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
    char path[512], name[512];
    if (entry->d_name[0] == '.')
      continue;
    sprintf(path, "/proc/self/ns/%s", entry->d_name);
    sprintf(name, "namespace %s", entry->d_name);
    text(name, link_of(path));
  }
  closedir(list);
}

/* How many, and how the first that has ended did: it is left to be waited for.
 */
static void children(void) {
  char path[64], line[4096];
  int count = 0;
  siginfo_t ended = {0};
  sprintf(path, "/proc/self/task/%d/children", getpid());
  FILE *file = fopen(path, "re");
  while (file != NULL && fscanf(file, "%4095s", line) == 1)
    count++;
  number("children", file == NULL ? -1 : count);
  if (file != NULL)
    fclose(file);
  int result = waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT | __WALL);
  number("ended child", result < 0          ? -1
                        : ended.si_pid == 0 ? 0
                                            : ended.si_status);
}

/* N: KIND ADVISORY ACCESS PID DEVICE:INODE START END */
static void locks(void) {
  char kind[64], access[64], range[64];
  int pid, index = 0;
  FILE *file = fopen("/proc/locks", "re");
  while (fscanf(file, " %*s %63s %*s %63s %d %*s %63[^\n]", kind, access, &pid,
                range) == 4)
    if (pid == getpid())
      fprintf(out, "lock %d: %s %s %s\n", index++, kind, access, range);
  fclose(file);
}

int main(int argc, char **argv) {
  static const char *const files[] = {
      "attr/current", "autogroup", "cgroup",         "coredump_filter",
      "gid_map",      "loginuid",  "oom_score_adj",  "personality",
      "sessionid",    "setgroups", "timens_offsets", "uid_map",
  };
  char *all, cwd[PATH_MAX];
  size_t size;
  if (argc < 2)
    return 2;
  out = open_memstream(&all, &size);
  errno = 0;

  descriptors(); /* first, while none is ours */
  for (int fd = 0; fd <= 2; fd++)
    terminal(fd);
  controlling_terminal();
  number("pid", getpid());
  number("parent", getppid());
  number("process group", getpgrp());
  number("session", getsid(0));
  texts("argument", argv);
  texts("environment", environ);
  text("auxv EXECFN", (const char *)getauxval(AT_EXECFN));
  number("auxv SECURE", (long)getauxval(AT_SECURE));
  text("exe", link_of("/proc/self/exe"));
  status();
  for (size_t i = 0; i < LENGTH(files); i++)
    proc_file(files[i]);
  limits();
  settings();
  scheduling();
  timers();
  text("getcwd", getcwd(cwd, sizeof cwd) ? cwd : strerrorname_np(errno));
  errno = 0;
  directory("cwd", ".");
  directory("root", "/");
  namespaces();
  children();
  locks();
  enum { KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING = -3 };
  number("session keyring", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
                                    KEY_SPEC_SESSION_KEYRING, 0));

  fclose(out);
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &limit);
  int fd = open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return fd >= 0 && write(fd, all, size) == (ssize_t)size ? 0 : 1;
}
