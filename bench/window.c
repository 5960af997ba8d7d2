/*
 * How long is the window in which a mount of the host's could be missed? It is
 * within holder_rejoin(); this takes the time of that call, in nanoseconds, a
 * line for each of 1000, on the mount that holds the path given.
 */
#include "../ffi/holder.h"
#include "../ffi/mount-namespace.h"

#include <stdio.h>
#include <time.h>

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int argc, char **argv) {
  for (int i = 0; i < 1000; i++) {
    struct host host = HOST_NOT_OPEN;
    struct holder holder = {.there = -1, .here = -1};
    long fd = argc == 2 ? open_itself(argv[1]) : -1;
    if (fd < 0 || host_open(&host) < 0 || mount_of(fd, &holder.mount) < 0 ||
        holder_open(&holder) < 0 || host_leave(&host) < 0 ||
        holder_leave(&holder) < 0)
      return 1;
    long start = now();
    long result = holder_rejoin(&holder);
    long took = now() - start;
    if (result < 0 || host_return(&host) < 0)
      return 1;
    printf("%ld\n", took);
    holder_close(&holder);
    host_close(&host);
    close_file(&fd);
  }
  return 0;
}
