/* What Debian's libstdc++ asks of glibc, and musl 1.2.3 has not. */
unsigned long getauxval(unsigned long type);

char __libc_single_threaded;

int _dl_find_object(void *address, void *result) {
  (void)address;
  (void)result;
  return -1; /* none: the unwinder asks dl_iterate_phdr(3) */
}

unsigned arc4random(void) { return 4; } /* for std::random_device only */

unsigned long __getauxval(unsigned long type) { return getauxval(type); }
