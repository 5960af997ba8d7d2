/*
 * disk FILE PLACE MICROSECONDS: FILE appears at PLACE, a file too, by FUSE, and
 * each read of it takes so long. On stdout a line for each, "OFFSET BYTES", in
 * the order of their coming: page by page for a program that is executed there,
 * as nothing is read ahead. They are answered side by side, as by a volume in a
 * network. Goes into the background once that stands, until PLACE is unmounted.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
  AT_ONCE = 64,
  MOST = 1 << 20, /* bytes of a request */
  PAGE = 4096,
};

static int fuse, file;
static long nanoseconds;

static void answer(u_int64_t unique, int error, const void *body, size_t size) {
  struct fuse_out_header head = {sizeof head + (unsigned)size, error, unique};
  struct iovec parts[] = {{&head, sizeof head}, {(void *)body, size}};
  /* ENOENT: nobody waits for it any more */
  if (writev(fuse, parts, 2) < 0 && errno != ENOENT)
    err(1, "writev(/dev/fuse)");
}

static struct fuse_attr attributes(void) {
  struct stat found;
  if (fstat(file, &found) != 0)
    err(1, "fstat");
  return (struct fuse_attr){
      .ino = 1,
      .size = (u_int64_t)found.st_size,
      .blocks = (u_int64_t)found.st_size / 512,
      .mode = S_IFREG | 0755,
      .nlink = 1,
      .blksize = PAGE,
  };
}

static struct timespec after(long more) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_nsec += more;
  at.tv_sec += at.tv_nsec / 1000000000;
  at.tv_nsec %= 1000000000;
  return at;
}

static void answer_read(u_int64_t unique, const struct fuse_read_in *wanted,
                        char *into) {
  struct timespec until = after(nanoseconds);
  printf("%llu %u\n", (unsigned long long)wanted->offset, wanted->size);
  ssize_t got = pread(file, into, wanted->size, (off_t)wanted->offset);
  if (nanoseconds > 0)
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  answer(unique, got < 0 ? -errno : 0, into, got < 0 ? 0 : (size_t)got);
}

static void *serve(void *unused) {
  (void)unused;
  prctl(PR_SET_TIMERSLACK, 1);
  char *request = malloc(MOST + PAGE), *into = malloc(MOST);
  if (request == NULL || into == NULL)
    err(1, "malloc");
  for (;;) {
    if (read(fuse, request, MOST + PAGE) < 0) {
      if (errno == ENODEV) /* it was unmounted */
        exit(0);
      if (errno == ENOENT || errno == EINTR || errno == EAGAIN)
        continue;
      err(1, "read(/dev/fuse)");
    }
    const struct fuse_in_header *head = (const void *)request;
    const void *body = head + 1;
    switch (head->opcode) {
    case FUSE_INIT:
      answer(head->unique, 0,
             &(struct fuse_init_out){
                 .major = FUSE_KERNEL_VERSION,
                 .minor = FUSE_KERNEL_MINOR_VERSION,
                 .flags = FUSE_ASYNC_READ | FUSE_ASYNC_DIO | FUSE_MAX_PAGES,
                 .max_pages = MOST / PAGE,
                 .max_background = AT_ONCE,
                 .congestion_threshold = AT_ONCE,
                 .max_write = PAGE,
                 .max_readahead = 0, /* one page a read, if it is no disk's */
             },
             sizeof(struct fuse_init_out));
      break;
    case FUSE_GETATTR:
      answer(head->unique, 0,
             &(struct fuse_attr_out){.attr_valid = 3600, .attr = attributes()},
             sizeof(struct fuse_attr_out));
      break;
    case FUSE_OPEN:
      answer(head->unique, 0, &(struct fuse_open_out){.fh = 1},
             sizeof(struct fuse_open_out));
      break;
    case FUSE_READ:
      answer_read(head->unique, body, into);
      break;
    case FUSE_RELEASE:
    case FUSE_FLUSH:
      answer(head->unique, 0, NULL, 0);
      break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      break;
    default:
      answer(head->unique, -ENOSYS, NULL, 0);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 4)
    errx(2, "disk FILE PLACE MICROSECONDS");
  nanoseconds = atol(argv[3]) * 1000;
  setlinebuf(stdout);
  file = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0)
    err(1, "%s", argv[1]);
  fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (fuse < 0)
    err(1, "/dev/fuse");
  char options[128];
  snprintf(options, sizeof options,
           "fd=%d,rootmode=100755,user_id=%d,group_id=%d", fuse, getuid(),
           getgid());
  if (mount("disk", argv[2], "fuse", MS_NOSUID | MS_NODEV, options) != 0)
    err(1, "mount on %s", argv[2]);
  pid_t child = fork();
  if (child < 0)
    err(1, "fork");
  if (child > 0)
    _exit(0);
  pthread_t one;
  for (int i = 1; i < AT_ONCE; i++)
    if (pthread_create(&one, NULL, serve, NULL) != 0)
      errx(1, "pthread_create");
  serve(NULL);
}
