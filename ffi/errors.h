/*
 * Errors by their names and texts, E(name, text), as errno(3) and strerror(3)
 * of glibc have them: those that mounts, files, namespaces and execve are known
 * to fail with. Any other is told by its number.
 */
#ifndef NSPIN_ERRORS_H
#define NSPIN_ERRORS_H

#include <asm/errno.h>

#define ERRORS(E)                                                              \
  E(EPERM, "Operation not permitted")                                          \
  E(EPIPE, "Broken pipe")                                                      \
  E(ENOENT, "No such file or directory")                                       \
  E(ESRCH, "No such process")                                                  \
  E(EIO, "Input/output error")                                                 \
  E(E2BIG, "Argument list too long")                                           \
  E(EBADF, "Bad file descriptor")                                              \
  E(EAGAIN, "Resource temporarily unavailable")                                \
  E(ENOMEM, "Cannot allocate memory")                                          \
  E(EACCES, "Permission denied")                                               \
  E(EBUSY, "Device or resource busy")                                          \
  E(EEXIST, "File exists")                                                     \
  E(EXDEV, "Invalid cross-device link")                                        \
  E(ENODEV, "No such device")                                                  \
  E(ENOTDIR, "Not a directory")                                                \
  E(EISDIR, "Is a directory")                                                  \
  E(EINVAL, "Invalid argument")                                                \
  E(ENFILE, "Too many open files in system")                                   \
  E(EMFILE, "Too many open files")                                             \
  E(ENOTTY, "Inappropriate ioctl for device")                                  \
  E(ETXTBSY, "Text file busy")                                                 \
  E(EFBIG, "File too large")                                                   \
  E(ENOSPC, "No space left on device")                                         \
  E(EROFS, "Read-only file system")                                            \
  E(ENAMETOOLONG, "File name too long")                                        \
  E(ENOLCK, "No locks available")                                              \
  E(ENOSYS, "Function not implemented")                                        \
  E(ELOOP, "Too many levels of symbolic links")                                \
  E(EOPNOTSUPP, "Operation not supported")                                     \
  E(ESTALE, "Stale file handle")                                               \
  E(EDQUOT, "Disk quota exceeded")                                             \
  E(ENOKEY, "Required key not available")

/* Those that only the command line meets, and no launcher. */
#define COMMAND_ERRORS(E) E(ENOTEMPTY, "Directory not empty")

/*
 * nspin's own exit statuses, S(name, status), as env(1) and nsenter(1) have
 * them; any other is the program's.
 */
#define STATUSES(S)                                                            \
  S(NOT_IN_TIME, 124)    /* what --wait waits for did not come, timeout(1) */  \
  S(CANNOT, 125)         /* nspin failed, usage included: nothing started */   \
  S(NOT_EXECUTABLE, 126) /* the program was found, and cannot be executed */   \
  S(NOT_FOUND, 127)

#endif
