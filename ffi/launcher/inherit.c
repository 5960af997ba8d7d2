/* ffi/inherit.h where no runtime has run: all is as it was inherited. */
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
  (void)limits;
  return 0;
}
