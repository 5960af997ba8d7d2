/*
 * Included before every file of ffi/ by -include: its system calls become calls
 * of a function of the harness, which acts on nothing.
 */
#include "../../ffi/syscall.h"

#include <stddef.h>
#include <stdint.h>

long fuzz_call(long number, long a, long b, long c, long d, long e, long f);
long fuzz_allocate(unsigned long bytes);
#define syscall1(n, a) fuzz_call(n, a, 0, 0, 0, 0, 0)
#define syscall2(n, a, b) fuzz_call(n, a, b, 0, 0, 0, 0)
#define syscall5(n, a, b, c, d, e) fuzz_call(n, a, b, c, d, e, 0)
#define syscall3(n, a, b, c) fuzz_call(n, a, b, c, 0, 0, 0)
#define syscall6 fuzz_call
#define allocate fuzz_allocate
/* The new process's body and its data, which a libc's clone(2) has not. */
#define clone_onto(flags, stack_end, body, data)                               \
  fuzz_call(__NR_clone, (long)(flags), (long)(stack_end), (long)(body),        \
            (long)(data), 0, 0)

/* A file that read(2) hands out in pieces of at most `piece` bytes. */
struct content {
  const uint8_t *bytes;
  size_t have, piece;
};

static inline long content_read(struct content *content, long to, long room) {
  size_t count = content->have;
  if (count > (size_t)room)
    count = (size_t)room;
  if (count > content->piece)
    count = content->piece;
  __builtin_memcpy((void *)to, content->bytes, count);
  content->bytes += count;
  content->have -= count;
  return (long)count;
}

/* A property that does not hold is a crash to libFuzzer. */
static inline void must(int holds) {
  if (!holds)
    __builtin_trap();
}
