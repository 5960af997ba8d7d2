/*
 * Leaves on /etc/resolv.conf what COUNT launches of the published program
 * leave: a private mount of the file onto itself for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>

int main(int argc, char **argv) {
  const char *file = "/etc/resolv.conf";
  for (int i = argc == 2 ? atoi(argv[1]) : 0; i > 0; i--)
    if (mount(file, file, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, file, NULL, MS_PRIVATE, NULL) < 0) {
      perror(file);
      return 1;
    }
  return 0;
}
