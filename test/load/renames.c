/*
 * A host that replaces a file: renames FILE NEW MICROSECONDS [TEXT] renames NEW
 * over FILE, with a pause between two, until SIGTERM ends it; then says how
 * often the kernel did it, and how often it refused (EBUSY). NEW is a file of
 * TEXT and a number or, without TEXT, a symbolic link that leads to where
 * FILE's does.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;

static void end(int signal) {
  (void)signal;
  is_over = 1;
}

static int fail(const char *path) {
  perror(path);
  return 1;
}

int main(int argc, char **argv) {
  unsigned done = 0, refused = 0;
  char leads_to[4096] = "";
  if (argc < 4)
    return 2;
  const char *file = argv[1], *new = argv[2];
  if (argc == 4 && readlink(file, leads_to, sizeof leads_to - 1) < 0)
    return fail(file);
  signal(SIGTERM, end);
  while (!is_over) {
    unlink(new);
    if (argc == 4) {
      if (symlink(leads_to, new) < 0)
        return fail(new);
    } else {
      FILE *text = fopen(new, "w");
      if (text == NULL)
        return fail(new);
      fprintf(text, "%s%u\n", argv[4], done % 250);
      fclose(text);
    }
    if (rename(new, file) == 0)
      done++;
    else if (errno == EBUSY)
      refused++;
    else
      return fail(file);
    usleep((useconds_t)atoi(argv[3]));
  }
  unlink(new);
  printf("%u %u\n", done, refused);
}
