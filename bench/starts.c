/*
 * starts [-n] DEVICE ROOT COUNT ROUNDS COMMAND [ARG...]: starts COUNT of the
 * command at once, ROUNDS times, on a system whose root is the file system on
 * DEVICE, just mounted (on ROOT): so in the first round nothing of it is in
 * memory, and then all is. In an argument {} is the number of the start.
 *
 * A command's program writes a byte and waits for the end of its input
 * (bench/runs.c). On stdout a line for each round, until the last has written
 * (or, alone, has ended): milliseconds, of the processor, waits, reads of the
 * device, KiB of them, KiB of memory at the most. -n: under a seccomp filter,
 * which refuses nothing, but beside which the guard does not ask for pages.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  MOST_ARGUMENTS = 32,
  LONGEST = 60000, /* milliseconds of a round */
  SAMPLE = 5,      /* milliseconds between two looks at the memory */
};

static int device_stat, meminfo;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void must(int result, const char *what) {
  if (result < 0)
    err(1, "%s", what);
}

static int open_file(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  must(fd, path);
  return fd;
}

static void read_file(int fd, char *text, size_t size) {
  ssize_t length = pread(fd, text, size - 1, 0);
  must((int)length, "pread");
  text[length] = '\0';
}

struct reads {
  long count, kib;
};

static struct reads device_reads(void) {
  char text[512];
  long count, merged, sectors;
  read_file(device_stat, text, sizeof text);
  if (sscanf(text, "%ld %ld %ld", &count, &merged, &sectors) != 3)
    errx(1, "the device's stat");
  return (struct reads){count, sectors / 2};
}

static long available(void) {
  char text[4096];
  read_file(meminfo, text, sizeof text);
  const char *line = strstr(text, "MemAvailable:");
  if (line == NULL)
    errx(1, "/proc/meminfo has no MemAvailable");
  return atol(line + strlen("MemAvailable:"));
}

static void go_to_root(const char *device, const char *root) {
  char path[256];
#define AT(name) (snprintf(path, sizeof path, "%s/%s", root, name), path)
  must(unshare(CLONE_NEWNS), "unshare");
  must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make / private");
  must(mount(device, root, "ext4", MS_RDONLY, "noload"), device);
  must(mount("/run", AT("run"), NULL, MS_BIND | MS_REC, NULL), path);
  must(mount("/dev", AT("dev"), NULL, MS_BIND | MS_REC, NULL), path);
  must(mount("proc", AT("proc"), "proc", 0, NULL), path);
  must((int)syscall(SYS_pivot_root, root, AT("old")), "pivot_root");
  must(chdir("/"), "chdir");
  must(umount2("/old", MNT_DETACH), "/old");
  must(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), "make / shared");
}

static void allow_everything(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

static void start(char **command, int number, int input, int output) {
  static char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  static char words[MOST_ARGUMENTS][256];
  char *arguments[MOST_ARGUMENTS + 1] = {NULL};
  for (int i = 0; command[i] != NULL && i < MOST_ARGUMENTS; i++) {
    const char *mark = strstr(command[i], "{}");
    arguments[i] = command[i];
    if (mark != NULL) {
      snprintf(words[i], sizeof words[i], "%.*s%d%s", (int)(mark - command[i]),
               command[i], number, mark + 2);
      arguments[i] = words[i];
    }
  }
  must(dup2(input, 0), "dup2");
  must(dup2(output, 1), "dup2");
  execvpe(arguments[0], arguments, environment);
  warn("%s", arguments[0]);
  _exit(127);
}

/* Until COUNT bytes have come, or the end. */
static long await(int output, int count) {
  double begin = now();
  long least = available();
  struct pollfd fd = {.fd = output, .events = POLLIN};
  for (int got = 0; got < count;) {
    if (now() - begin > LONGEST)
      errx(1, "%d of %d programs run", got, count);
    char bytes[256];
    ssize_t length =
        poll(&fd, 1, SAMPLE) > 0 ? read(output, bytes, sizeof bytes) : 0;
    if (length == 0 && fd.revents != 0)
      break;
    got += (int)length;
    long free = available();
    if (free < least)
      least = free;
  }
  return least;
}

static void round_of(char **command, int count) {
  int input[2], output[2];
  must(pipe2(input, O_CLOEXEC), "pipe2");
  must(pipe2(output, O_CLOEXEC), "pipe2");
  struct rusage before, after;
  struct reads first = device_reads();
  long free = available();
  getrusage(RUSAGE_CHILDREN, &before);
  double begin = now();
  for (int i = 1; i <= count; i++) {
    pid_t child = fork();
    must(child, "fork");
    if (child == 0)
      start(command, i, input[0], output[1]);
  }
  close(output[1]);
  long least = await(output[0], count);
  double took = now() - begin;
  struct reads last = device_reads();
  close(input[1]);
  close(input[0]);
  close(output[0]);
  int status; /* of keepers too, which come to process 1 */
  while (wait(&status) > 0 || errno == EINTR)
    if (status != 0)
      errx(1, "%s: status %x", command[0], (unsigned)status);
  getrusage(RUSAGE_CHILDREN, &after);
#define SINCE(field)                                                           \
  ((after.field.tv_sec - before.field.tv_sec) * 1e3 +                          \
   (after.field.tv_usec - before.field.tv_usec) / 1e3)
  printf("%.3f %.3f %ld %ld %ld %ld\n", took, SINCE(ru_utime) + SINCE(ru_stime),
         after.ru_nvcsw - before.ru_nvcsw, last.count - first.count,
         last.kib - first.kib, free - least);
}

int main(int argc, char **argv) {
  int is_filtered = argc > 1 && strcmp(argv[1], "-n") == 0;
  char **words = argv + 1 + is_filtered;
  if (argc - is_filtered < 6)
    errx(2, "starts [-n] DEVICE ROOT COUNT ROUNDS COMMAND [ARG...]");
  char path[256];
  snprintf(path, sizeof path, "/sys/block/%s/stat", basename(words[0]));
  device_stat = open_file(path);
  meminfo = open_file("/proc/meminfo");
  must(unshare(CLONE_NEWPID), "unshare");
  pid_t child = fork();
  must(child, "fork");
  if (child == 0) {
    go_to_root(words[0], words[1]);
    if (is_filtered)
      allow_everything();
    for (int i = 0; i < atoi(words[3]); i++)
      round_of(words + 4, atoi(words[2]));
    return 0;
  }
  int status;
  must(waitpid(child, &status, 0), "waitpid");
  /* The next one shall find nothing in memory: the mount goes a moment after
   * its last process. */
  for (int i = 0; i < 1000; i++) {
    int fd = open(words[0], O_RDONLY | O_EXCL | O_CLOEXEC);
    if (fd >= 0)
      return status != 0;
    usleep(10000);
  }
  errx(1, "%s is still mounted", words[0]);
}
