/* Mounts a tmpfs on each of the directories DIR/FROM to DIR/TO, TO excluded. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  for (int i = atoi(argv[2]); i < atoi(argv[3]); i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%d", argv[1], i);
    if (mkdir(path, 0700) < 0 || mount("bench", path, "tmpfs", 0, NULL) < 0) {
      perror(path);
      return 1;
    }
  }
  return 0;
}
