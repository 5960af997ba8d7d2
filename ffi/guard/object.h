/* The sequence (dist/nspin.so), for src/library.ts to load. */
#ifndef NSPIN_OBJECT_H
#define NSPIN_OBJECT_H

#include "../text.h"

/*
 * The file, byte for byte, in the guard's own segment (object.S). It has no
 * relocation and no data, which build/elf.ts checks: so it can be called there,
 * where there is no file to be loaded.
 */
extern const char object[], object_end[];

/*
 * What few launches ask for (dist/aside.so), which is run where it lies, too:
 * its ELF header says where aside() is (aside.h): its address.
 */
extern const char aside_image[];
u64 aside_entry(void);

/*
 * A sealed memfd with the object in it, for dlopen(3): close-on-exec.
 * -errno where the host refuses it: vm.memfd_noexec=2, SELinux, an old seccomp
 * profile, RLIMIT_FSIZE.
 */
long object_open(void);

#endif
