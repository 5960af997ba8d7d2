/*
 * How long a program sees the host's file after the host has renamed it.
 *
 *     again read FILE OWN SECONDS   opens and reads FILE in a tight loop
 *     again once FILE OWN SECONDS   the same, once each millisecond
 *     again rename FILE N HERTZ     renames another over it
 *
 * Each prints microseconds of CLOCK_MONOTONIC: the first when it began to read
 * anything else than OWN, and when it read that again; the last when a rename
 * began and when it had ended. And at its end how often it has read, and how
 * often something else.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int reads_own(const char *file, const char *own) {
  char text[256];
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0)
    close(fd);
  text[bytes < 0 ? 0 : bytes] = '\0';
  return strncmp(text, own, strlen(own)) == 0;
}

static void look(const char *file, const char *own, double seconds, int pause) {
  double end = now() + seconds * 1e6, since = 0, at;
  long reads = 0, wrong = 0;
  while ((at = now()) < end) {
    int is_own = reads_own(file, own);
    reads++;
    wrong += !is_own;
    if (!is_own && since == 0)
      since = at;
    if (is_own && since != 0) {
      printf("%.1f %.1f\n", since, at);
      since = 0;
    }
    if (pause)
      usleep(1000);
  }
  printf("%ld %ld\n", reads, wrong + (since != 0 ? reads : 0));
}

static void rename_over(const char *file, long count, double hertz) {
  char other[4096];
  snprintf(other, sizeof other, "%s.again", file);
  for (long i = 0; i < count; i++) {
    FILE *new = fopen(other, "w");
    if (new == NULL || fprintf(new, "nameserver 192.0.2.%ld\n", i % 200) < 0 ||
        fclose(new) != 0)
      exit(1);
    double begin = now();
    if (rename(other, file) != 0)
      exit(1);
    printf("%.1f %.1f\n", begin, now());
    usleep((useconds_t)(1e6 / hertz));
  }
}

int main(int argc, char **argv) {
  if (argc != 5)
    return 2;
  if (strcmp(argv[1], "rename") == 0)
    rename_over(argv[2], atol(argv[3]), atof(argv[4]));
  else
    look(argv[2], argv[3], atof(argv[4]), strcmp(argv[1], "once") == 0);
  return 0;
}
