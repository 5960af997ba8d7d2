/* Whether the kernel asks for secure execution, AT_SECURE of getauxval(3). */
#ifndef NSPIN_SECURE_H
#define NSPIN_SECURE_H

/*
 * 0; or -EPERM, where the file brought privilege with it (setuid, setgid,
 * capabilities): it would be at the hands of whoever starts it, each word,
 * variable, descriptor and limit is theirs. For root the kernel may set
 * AT_SECURE too, where SELinux changes the domain.
 */
long secure_check(const void *auxiliary_vector);

#endif
