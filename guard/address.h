#ifndef NSPIN_ADDRESS_H
#define NSPIN_ADDRESS_H

/*
 * Where the guard's code is mapped: above the image, which build/guard.ts
 * checks, and aligned for pages of 64 KiB. Its record lies far above the heap,
 * which brk(2) puts behind the code, and far below where mmap(2) puts anything
 * by itself. (Not between image and code: qemu-user keeps such a hole closed.)
 */
#define GUARD_CODE 0x40000000
#define GUARD_RECORD 0x1000000000

#endif
