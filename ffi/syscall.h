/*
 * Raw system calls: the object has no libc, because libc's copies would act on
 * a runtime (bun) whose locks and caches other threads hold at this moment.
 * Each returns the kernel's value: negative is -errno.
 */
#ifndef NSPIN_SYSCALL_H
#define NSPIN_SYSCALL_H

#include <asm/errno.h>
#include <asm/unistd.h>
#include <linux/mman.h>

#if defined(__x86_64__)
/* number: rax. arguments: rdi rsi rdx r10 r8 r9. clobbered: rcx r11. */
#define SYSCALL(n, ...)                                                        \
  long result;                                                                 \
  __asm__ volatile("syscall"                                                   \
                   : "=a"(result)                                              \
                   : "a"(n), __VA_ARGS__                                       \
                   : "rcx", "r11", "memory");                                  \
  return result

static inline long syscall1(long n, long a) { SYSCALL(n, "D"(a)); }

static inline long syscall2(long n, long a, long b) {
  SYSCALL(n, "D"(a), "S"(b));
}

static inline long syscall3(long n, long a, long b, long c) {
  SYSCALL(n, "D"(a), "S"(b), "d"(c));
}

static inline long syscall5(long n, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  SYSCALL(n, "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8));
}

static inline long syscall6(long n, long a, long b, long c, long d, long e,
                            long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  SYSCALL(n, "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9));
}

/*
 * clone(2) without a return in the child: it runs body(data) on a stack of its
 * own, whose end (its highest address, a multiple of 16) is given.
 */
static inline long clone_onto(unsigned long flags, void *stack_end,
                              void (*body)(void *data), void *data) {
  long result;
  register long r10 __asm__("r10") = 0;
  register long r8 __asm__("r8") = 0;
  register void (*r12)(void *) __asm__("r12") = body;
  register void *r13 __asm__("r13") = data;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "mov %%r13, %%rdi\n\t"
                   "call *%%r12\n\t"
                   "ud2\n"
                   "1:"
                   : "=a"(result)
                   : "a"(__NR_clone), "D"(flags), "S"(stack_end), "d"(0),
                     "r"(r10), "r"(r8), "r"(r12), "r"(r13)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
/* number: x8. arguments: x0 to x5. result: x0. */
#define SYSCALL(n, ...)                                                        \
  register long x8 __asm__("x8") = n;                                          \
  register long x0 __asm__("x0") = a;                                          \
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), ##__VA_ARGS__ : "memory");    \
  return x0

static inline long syscall1(long n, long a) { SYSCALL(n); }

static inline long syscall2(long n, long a, long b) {
  register long x1 __asm__("x1") = b;
  SYSCALL(n, "r"(x1));
}

static inline long syscall3(long n, long a, long b, long c) {
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  SYSCALL(n, "r"(x1), "r"(x2));
}

static inline long syscall5(long n, long a, long b, long c, long d, long e) {
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  SYSCALL(n, "r"(x1), "r"(x2), "r"(x3), "r"(x4));
}

static inline long syscall6(long n, long a, long b, long c, long d, long e,
                            long f) {
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  SYSCALL(n, "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5));
}

static inline long clone_onto(unsigned long flags, void *stack_end,
                              void (*body)(void *data), void *data) {
  register long x8 __asm__("x8") = __NR_clone;
  register long x0 __asm__("x0") = (long)flags;
  register void *x1 __asm__("x1") = stack_end;
  register long x2 __asm__("x2") = 0;
  register long x3 __asm__("x3") = 0;
  register long x4 __asm__("x4") = 0;
  register void (*x19)(void *) __asm__("x19") = body;
  register void *x20 __asm__("x20") = data;
  __asm__ volatile("svc 0\n\t"
                   "cbnz x0, 1f\n\t"
                   "mov x29, #0\n\t"
                   "mov x30, #0\n\t"
                   "mov x0, x20\n\t"
                   "blr x19\n\t"
                   "brk #0\n"
                   "1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x19),
                     "r"(x20)
                   : "memory");
  return x0;
}
#else
#error "nspin knows x86-64 and aarch64"
#endif

/*
 * CALL(number, up to six arguments), all that the call has, but for what it
 * does not look at: only of four the fifth is 0, mount(2)'s data. To clear six
 * registers at each of 150 places would take a kilobyte.
 */
#define CALL(...)                                                              \
  CALL_WIDTH(__VA_ARGS__, 6, 5, 5, 3, 2, 1, 1)(__VA_ARGS__, 0, 0)
#define CALL_WIDTH(n, a, b, c, d, e, f, width, ...) CALL_PAD##width
#define CALL_PAD1(n, a, ...) syscall1(n, (long)(a))
#define CALL_PAD2(n, a, b, ...) syscall2(n, (long)(a), (long)(b))
#define CALL_PAD3(n, a, b, c, ...) syscall3(n, (long)(a), (long)(b), (long)(c))
#define CALL_PAD5(n, a, b, c, d, e, ...)                                       \
  syscall5(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define CALL_PAD6(n, a, b, c, d, e, f, ...)                                    \
  syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* A call without which its function fails, with the same error. */
#define MUST(call)                                                             \
  do {                                                                         \
    long result_ = (call);                                                     \
    if (result_ < 0)                                                           \
      return result_;                                                          \
  } while (0)

/* Of the calls that return an address, these are the errors. */
static inline int is_error(long result) { return result < 0 && result > -4096; }

/* Zeroed memory, never freed: execve or exit does. Its address, or -errno. */
static inline long allocate(unsigned long bytes) {
  return CALL(__NR_mmap, 0, bytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

#endif
