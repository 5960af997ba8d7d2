#ifndef NSPIN_BLOCK_H
#define NSPIN_BLOCK_H

#include "syscall.h"

/* Memory that is given back; at is 0 where there is none. */
struct block {
  unsigned long at, bytes;
};

static inline long block_obtain(struct block *block, unsigned long bytes) {
  long at = allocate(bytes + 1); /* mmap(2) takes no 0 */
  if (is_error(at))
    return at;
  *block = (struct block){(unsigned long)at, bytes + 1};
  return 0;
}

static inline long block_grow(struct block *block, unsigned long bytes) {
  long at = CALL(__NR_mremap, block->at, block->bytes, bytes, MREMAP_MAYMOVE);
  if (is_error(at))
    return at;
  *block = (struct block){(unsigned long)at, bytes};
  return 0;
}

static inline void block_release(struct block *block) {
  if (block->at != 0)
    CALL(__NR_munmap, block->at, block->bytes);
  block->at = 0;
}

#endif
