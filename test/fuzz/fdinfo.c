/* The mount of an open file, as fdinfo tells it; any driver adds lines. */
#include "../../ffi/proc.h"

#include <linux/stat.h>
#include <string.h>

static struct content info;

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)a, (void)d, (void)f;
  if (number == __NR_statx) { /* Linux before 5.8 */
    ((struct statx *)e)->stx_mask = STATX_BASIC_STATS;
    return 0;
  }
  return number == __NR_read ? content_read(&info, b, c) : 3;
}

long fuzz_allocate(unsigned long bytes) { return -(long)bytes; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  char id[NUMBER_BYTES];
  memset(id, 'x', sizeof id);
  info = (struct content){data + 1, size - 1, 1 + data[0]};
  long result = mount_id(3, id);
  must(result <= 0);
  must(result < 0 || strnlen(id, sizeof id) < sizeof id);

  /* Words of every room end, and hold no separator but an escaped one. */
  struct reader reader;
  char word[32];
  for (size_t room = 1; room <= sizeof word; room += 31) {
    info = (struct content){data + 1, size - 1, 1 + data[0]};
    must(read_open(&reader, "") == 0);
    size_t words = 0;
    while (read_word(&reader, word, room) >= 0) {
      must(strnlen(word, room) < room);
      must(++words <= size);
    }
    must(info.have == 0);
  }
  return 0;
}
