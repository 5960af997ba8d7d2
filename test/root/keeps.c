/*
 * The program of a launch: keeps FILE HOST exits with 0 where FILE says "task",
 * and is a mount for the process HOST, as a pin is, now and for 5 ms; else it
 * says what is missing, and when.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int says_task(const char *path) {
  char text[64] = "";
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
    return 0;
  close(fd);
  return strcmp(text, "task\n") == 0;
}

static int is_mount(const char *path) {
  struct statx status;
  return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &status) == 0 &&
         status.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

int main(int argc, char **argv) {
  char on_host[4096];
  if (argc != 3)
    return 2;
  snprintf(on_host, sizeof on_host, "/proc/%s/root%s", argv[2], argv[1]);
  for (int i = 0; i <= 10; i++) {
    const char *missing = !says_task(argv[1])  ? "the file"
                          : !is_mount(on_host) ? "the pin"
                                               : NULL;
    if (missing != NULL) {
      printf("%s is missing after %d us\n", missing, 500 * i);
      return 1;
    }
    usleep(500);
  }
  return 0;
}
