#ifndef NSPIN_ADDRESS_H
#define NSPIN_ADDRESS_H

/*
 * Where the guard's code is mapped: above the image, which build/guard.ts
 * checks, and aligned for pages of 64 KiB.
 */
#define GUARD_CODE 0x40000000

#endif
