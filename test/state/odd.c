/*
 * Becomes a program in a state that is odd on purpose:
 *
 *     odd SETUP[=VALUE]... -- PROGRAM [ARG...]
 *
 * The set-ups are applied in their order. A number may be 0x1f or 017; in an
 * entry of the environment and in the program's words, \xHH stands for a byte.
 * What cannot be had ends it, with status 99 and a line on stderr.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define LENGTH(array) (sizeof array / sizeof *array)
#define SPARE 50 /* from here on: the other ends of pipes, and the like */

static const char *setup; /* the word at work, for must() */

static int must(int result) {
  if (result < 0) {
    dprintf(2, "odd: %s: %s\n", setup, strerror(errno));
    exit(99);
  }
  return result;
}

static void refuse(int error) {
  errno = error;
  must(-1);
}

/* The next number of "1:2:0x3", which it moves on. */
static long next(char **value) {
  char *word = strsep(value, ":");
  return word == NULL ? (refuse(EINVAL), 0) : strtol(word, NULL, 0);
}

/* --- signals: a bit each, by system calls, as glibc keeps 32 and 33 --- */

static unsigned long signals(const char *names) {
  unsigned long set = strcmp(names, "all") == 0 ? ~0UL : 0;
  char *list = strdup(names);
  for (char *name; (name = strsep(&list, ",")) != NULL;)
    for (int i = 1; i < NSIG; i++)
      if (sigabbrev_np(i) != NULL && strcmp(name, sigabbrev_np(i)) == 0)
        set |= 1UL << (i - 1);
  if (set == 0)
    refuse(EINVAL);
  return set;
}

static void ignore(char *names) {
  struct {
    void (*handler)(int);
    unsigned long flags, restorer, mask;
  } ignored = {.handler = SIG_IGN};
  unsigned long set = signals(names);
  for (int i = 1; i <= 64; i++)
    if ((set >> (i - 1) & 1) != 0 && i != SIGKILL && i != SIGSTOP)
      must((int)syscall(SYS_rt_sigaction, i, &ignored, NULL, sizeof set));
}

static void block(char *names) {
  unsigned long set = signals(names);
  must((int)syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof set));
}

static void pending(char *names) {
  unsigned long set = signals(names);
  block(names);
  for (int i = 1; i <= 64; i++)
    if ((set >> (i - 1) & 1) != 0)
      must(kill(getpid(), i));
}

/* --- descriptors --- */

static void spare(int fd) {
  must(fcntl(fd, F_DUPFD, SPARE));
  close(fd);
}

static int regular_file(void) {
  int fd = must(open("odd-file", O_RDWR | O_CREAT | O_TRUNC, 0600));
  must((int)write(fd, "0123456789", 10));
  must((int)lseek(fd, 5, SEEK_SET));
  return fd;
}

static int pipe_end(int which) {
  int ends[2];
  must(pipe(ends));
  spare(ends[1 - which]);
  return ends[which];
}

static int pipe_reader(void) { return pipe_end(0); }
static int pipe_writer(void) { return pipe_end(1); }

static int connected_socket(void) {
  int ends[2];
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  spare(ends[1]);
  return ends[0];
}

static int listening_socket(void) {
  int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
  struct sockaddr any = {.sa_family = AF_UNIX}; /* a name of the kernel's */
  must(bind(fd, &any, sizeof any.sa_family));
  must(listen(fd, 1));
  return fd;
}

/* Becomes the controlling terminal of a session leader that has none. */
static int pseudoterminal(void) {
  int master = must(posix_openpt(O_RDWR | O_NOCTTY));
  must(grantpt(master));
  must(unlockpt(master));
  int fd = must(open(ptsname(master), O_RDWR));
  struct winsize size = {.ws_row = 33, .ws_col = 99};
  must(ioctl(fd, TIOCSWINSZ, &size));
  spare(master);
  return fd;
}

/* What bun's own event loop looks like: an epoll that watches an eventfd. */
static int epoll(void) {
  int fd = must(epoll_create1(0)), watched = must(eventfd(0, 0));
  int kept = must(fcntl(watched, F_DUPFD, SPARE));
  close(watched);
  struct epoll_event event = {.events = EPOLLIN};
  must(epoll_ctl(fd, EPOLL_CTL_ADD, kept, &event));
  return fd;
}

static int signal_descriptor(void) {
  sigset_t set;
  sigemptyset(&set);
  return signalfd(-1, &set, 0);
}

static int null_device(void) { return open("/dev/null", O_RDWR); }
static int directory(void) { return open("/", O_RDONLY | O_DIRECTORY); }
static int path_only(void) { return open("/etc/passwd", O_PATH); }
static int counter(void) { return eventfd(7, EFD_NONBLOCK); }
static int timer_descriptor(void) { return timerfd_create(CLOCK_REALTIME, 0); }
static int watcher(void) { return inotify_init1(0); }
static int memory(void) { return memfd_create("odd", 0); }

/* NUMBER:KIND[:nonblock] */
static void open_as(char *value) {
  static const struct {
    const char *name;
    int (*open)(void);
  } kinds[] = {
      {"null", null_device},
      {"file", regular_file},
      {"reader", pipe_reader},
      {"writer", pipe_writer},
      {"socket", connected_socket},
      {"listening", listening_socket},
      {"tty", pseudoterminal},
      {"epoll", epoll},
      {"eventfd", counter},
      {"timerfd", timer_descriptor},
      {"inotify", watcher},
      {"memfd", memory},
      {"signalfd", signal_descriptor},
      {"directory", directory},
      {"path", path_only},
  };
  int number = (int)next(&value);
  const char *kind = strsep(&value, ":");
  for (size_t i = 0; i < LENGTH(kinds); i++)
    if (strcmp(kind, kinds[i].name) == 0) {
      int fd = must(kinds[i].open());
      if (value != NULL)
        must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
      if (fd != number) {
        must(dup2(fd, number));
        close(fd);
      }
      return;
    }
  refuse(EINVAL);
}

static void duplicate(char *value) {
  int from = (int)next(&value);
  must(dup2(from, (int)next(&value)));
}

static void close_one(char *value) { must(close((int)next(&value))); }

static void raw_terminal(char *value) {
  int fd = (int)next(&value);
  struct termios settings;
  must(tcgetattr(fd, &settings));
  cfmakeraw(&settings);
  must(tcsetattr(fd, TCSANOW, &settings));
}

/* A POSIX lock is the process's, a flock the open file's. */
static void lock(char *value) {
  int fd = (int)next(&value);
  struct flock range = {.l_type = F_WRLCK, .l_start = 2, .l_len = 3};
  must(fcntl(fd, F_SETLK, &range));
  must(flock(fd, LOCK_SH));
}

/* --- environment --- */

static char *entries[256];

/* In place; what comes of it is shorter. */
static char *decode(char *text) {
  unsigned byte;
  char *to = text;
  for (char *from = text; *from != '\0';)
    if (sscanf(from, "\\x%2x", &byte) == 1) {
      *to++ = (char)byte;
      from += 4;
    } else {
      *to++ = *from++;
    }
  *to = '\0';
  return text;
}

static void clear(char *value) {
  (void)value;
  entries[0] = NULL;
  environ = entries;
}

static void add_entry(char *value) {
  size_t count = 0;
  for (; environ[count] != NULL; count++)
    entries[count] = environ[count];
  entries[count] = decode(value);
  entries[count + 1] = NULL;
  environ = entries;
}

/* sd_listen_fds(3): the descriptors from 3 on are for this process. */
static void listen_fds(char *value) {
  char id[32];
  sprintf(id, "%d", getpid());
  must(setenv("LISTEN_FDS", value, 1));
  must(setenv("LISTEN_PID", id, 1));
}

/* --- limits, scheduling, and other attributes --- */

#define VALUE(prefix, name)                                                    \
  { #name, prefix##name }

struct named {
  const char *name;
  int value;
};

static int named(const char *name, const struct named *list) {
  for (; list->name != NULL; list++)
    if (strcmp(list->name, name) == 0)
      return list->value;
  refuse(EINVAL);
  return -1;
}

/* NAME:SOFT:HARD, -1 is infinity */
static void limit(char *value) {
  static const struct named names[] = {
      VALUE(RLIMIT_, AS),
      VALUE(RLIMIT_, CORE),
      VALUE(RLIMIT_, CPU),
      VALUE(RLIMIT_, DATA),
      VALUE(RLIMIT_, FSIZE),
      VALUE(RLIMIT_, LOCKS),
      VALUE(RLIMIT_, MEMLOCK),
      VALUE(RLIMIT_, MSGQUEUE),
      VALUE(RLIMIT_, NICE),
      VALUE(RLIMIT_, NOFILE),
      VALUE(RLIMIT_, NPROC),
      VALUE(RLIMIT_, RSS),
      VALUE(RLIMIT_, RTPRIO),
      VALUE(RLIMIT_, RTTIME),
      VALUE(RLIMIT_, SIGPENDING),
      VALUE(RLIMIT_, STACK),
      {NULL, 0},
  };
  int resource = named(strsep(&value, ":"), names);
  struct rlimit both = {.rlim_cur = (rlim_t)next(&value)};
  both.rlim_max = (rlim_t)next(&value);
  must(setrlimit((enum __rlimit_resource)resource, &both));
}

static void set_prctl(char *value) {
  static const struct named names[] = {
      VALUE(PR_SET_, CHILD_SUBREAPER),
      VALUE(PR_SET_, DUMPABLE),
      VALUE(PR_SET_, KEEPCAPS),
      VALUE(PR_SET_, NO_NEW_PRIVS),
      VALUE(PR_SET_, PDEATHSIG),
      VALUE(PR_SET_, SECUREBITS),
      VALUE(PR_SET_, THP_DISABLE),
      VALUE(PR_SET_, TIMERSLACK),
      VALUE(PR_, CAPBSET_DROP),
      VALUE(PR_, MCE_KILL),
      {NULL, 0},
  };
  int option = named(strsep(&value, ":"), names);
  long argument = next(&value);
  must(prctl(option, argument, value == NULL ? 0 : next(&value), 0, 0));
}

/* POLICY:PRIORITY */
static void schedule(char *value) {
  static const struct named policies[] = {
      VALUE(SCHED_, BATCH), VALUE(SCHED_, IDLE), VALUE(SCHED_, FIFO),
      VALUE(SCHED_, RR),    {NULL, 0},
  };
  int policy = named(strsep(&value, ":"), policies);
  struct sched_param parameter = {.sched_priority = (int)next(&value)};
  must(sched_setscheduler(0, policy, &parameter));
}

static void set_nice(char *value) {
  must(setpriority(PRIO_PROCESS, 0, (int)next(&value)));
}

static void pin_to(char *value) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(next(&value), &set);
  must(sched_setaffinity(0, sizeof set, &set));
}

static void io_priority(char *value) {
  enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_SHIFT = 13 };
  long class = next(&value);
  must((int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
                    class << IOPRIO_CLASS_SHIFT | next(&value)));
}

static void memory_policy(char *value) {
  unsigned long nodes = 1;
  must((int)syscall(SYS_set_mempolicy, next(&value), &nodes, 64));
}

static void set_personality(char *value) {
  must(personality((unsigned long)next(&value)));
}

static void set_umask(char *value) { umask((mode_t)next(&value)); }

/* FILE:TEXT, of /proc/self */
static void write_proc(char *value) {
  char path[64];
  sprintf(path, "/proc/self/%s", strsep(&value, ":"));
  int fd = must(open(path, O_WRONLY | O_CLOEXEC));
  must((int)write(fd, value, strlen(value)));
  close(fd);
}

/* WHICH:SECONDS:INTERVAL */
static void timer(char *value) {
  static const struct named names[] = {VALUE(ITIMER_, REAL),
                                       VALUE(ITIMER_, VIRTUAL),
                                       VALUE(ITIMER_, PROF),
                                       {NULL, 0}};
  int which = named(strsep(&value, ":"), names);
  struct itimerval timer = {.it_value.tv_sec = next(&value)};
  timer.it_interval.tv_sec = next(&value);
  must(setitimer((enum __itimer_which)which, &timer, NULL));
}

static void groups(char *value) {
  gid_t list[16];
  size_t count = 0;
  while (value != NULL && count < LENGTH(list))
    list[count++] = (gid_t)next(&value);
  must(setgroups(count, list));
}

/* UID:CAPABILITIES, which it keeps, as systemd's AmbientCapabilities= does. */
static void user(char *value) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  uid_t id = (uid_t)next(&value);
  unsigned kept = (unsigned)next(&value);
  struct __user_cap_data_struct sets[2] = {{kept, kept, kept}, {0, 0, 0}};
  must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
  must(setresgid(id, id, id));
  must(setresuid(id, id, id));
  must((int)syscall(SYS_capset, &header, sets));
  for (int i = 0; i < 32; i++)
    if ((kept >> i & 1) != 0)
      must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0));
}

static void allow_all_filter(char *value) {
  (void)value;
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &allow};
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

/* --- session, directory, children --- */

static void new_session(char *value) {
  (void)value;
  must(setsid());
}

static void change_directory(char *value) { must(chdir(value)); }

static void change_root(char *value) { must(chroot(value)); }

static void ended_child(char *value) {
  int status = (int)next(&value);
  pid_t child = must(fork());
  if (child == 0)
    _exit(status);
  siginfo_t info;
  must(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
}

/* It ends with us. */
static void running_child(char *value) {
  (void)value;
  if (must(fork()) != 0)
    return;
  must(prctl(PR_SET_PDEATHSIG, SIGKILL));
  closefrom(0);
  for (;;)
    pause();
}

static const struct {
  const char *name;
  void (*apply)(char *value);
} setups[] = {
    {"affinity", pin_to},         {"block", block},
    {"child", running_child},     {"clear", clear},
    {"close", close_one},         {"cwd", change_directory},
    {"dup", duplicate},           {"ended", ended_child},
    {"env", add_entry},           {"fd", open_as},
    {"groups", groups},           {"ignore", ignore},
    {"ioprio", io_priority},      {"limit", limit},
    {"listen", listen_fds},       {"lock", lock},
    {"mempolicy", memory_policy}, {"nice", set_nice},
    {"pending", pending},         {"personality", set_personality},
    {"prctl", set_prctl},         {"proc", write_proc},
    {"raw", raw_terminal},        {"root", change_root},
    {"sched", schedule},          {"seccomp", allow_all_filter},
    {"session", new_session},     {"timer", timer},
    {"umask", set_umask},         {"user", user},
};

int main(int argc, char **argv) {
  int word = 1;
  (void)argc;
  for (; argv[word] != NULL && strcmp(argv[word], "--") != 0; word++) {
    char *value = argv[word];
    setup = strdup(value);
    const char *name = strsep(&value, "=");
    size_t i = 0;
    while (i < LENGTH(setups) && strcmp(setups[i].name, name) != 0)
      i++;
    if (i == LENGTH(setups))
      refuse(EINVAL);
    setups[i].apply(value);
  }
  for (argv += word + 1, word = 0; argv[word] != NULL; word++)
    decode(argv[word]);
  setup = argv[0];
  must(execve(argv[0], argv, environ));
}
