/*
 * ffi/inherit.h where no runtime has run: all is as it was inherited, but for
 * the limit that launcher.c has raised.
 */
#include "../inherit.h"

long inherit_directory(const struct record *record) {
  (void)record;
  return 0;
}

long inherit_descriptors(const struct record *record) {
  (void)record;
  return 0;
}

long inherit_signals(const struct record *record) {
  (void)record;
  return 0;
}

long inherit_limits(struct rlimit64 limits[GUARD_LIMIT_COUNT]) {
  return CALL(__NR_setrlimit, RLIMIT_NOFILE, &limits[GUARD_NOFILE]);
}
