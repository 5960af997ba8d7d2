/*
 * What few launches ask for: a code of its own, aside/ and keeper/, which none
 * loads (dist/aside.so). The binary has it mapped anyhow, and struct record
 * says where it is, in one address: so it is one function.
 */
#ifndef NSPIN_ASIDE_H
#define NSPIN_ASIDE_H

#include "cover.h"

/* Behind those that are asked for, and listed, there is room for as many. */
#define OWN_DNS_TARGET(name, path) OWN_DNS_##name,
enum own_dns { OWN_DNS_TARGETS(OWN_DNS_TARGET) OWN_DNS_COVERS };

enum aside {
  ASIDE_KEEPER,  /* starts it: keeper.h; more: process, name: program */
  ASIDE_SYS,     /* lays a sysfs of this thread's network namespace on /sys */
  ASIDE_OWN_DNS, /* adds its covers to those of the launch */
  /*
   * Makes what covers name, as target's clone. more: the host, or NULL: only
   * what kind it would be.
   */
  ASIDE_SOURCE,
  ASIDE_UNPIN /* sequence.h; launch says how it went */
};

/* 0, or -errno: nothing was made; of a keeper see keeper.h. */
long aside(unsigned what, struct launch *launch, struct target *target,
           void *more, const char *name);

#endif
