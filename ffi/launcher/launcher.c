/*
 * A program with one plan in it, which `nspin bake` has put there: the pinned
 * sequence, entered from the kernel. No runtime runs before it, so there is
 * nothing to hide from, and but one limit to give back.
 */
#include "../aside.h"
#include "../report.h"
#include "image.h"
#include "netns.h"

struct image {
  char magic[sizeof IMAGE_MAGIC];
  unsigned char digest[IMAGE_DIGEST];
  struct launch launch;
};

extern const char code_end[]; /* launcher.ld */

static const struct image *image(void) {
  u64 bytes = (u64)code_end - IMAGE_CODE;
  u64 offset = (bytes + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
  return (const struct image *)(IMAGE_PLAN + offset);
}

/* As `nspin run` does, for long lists; inherit_limits takes it back. */
static void raise_descriptor_limit(struct rlimit64 *found) {
  CALL(__NR_getrlimit, RLIMIT_NOFILE, found);
  struct rlimit64 raised = {found->rlim_max, found->rlim_max};
  CALL(__NR_setrlimit, RLIMIT_NOFILE, &raised);
}

/* Where an argument names it: 0 or -errno, and the step that failed. */
static long find_netns(struct launch *launch, char **arguments,
                       struct netns_paths *paths) {
  if (launch->netns_argument == 0)
    return 0;
  int is_missing = arguments[0] == NULL || arguments[1] == NULL;
  launch->failed_step = is_missing ? STEP_ARGUMENTS : STEP_OPEN_NETNS;
  return is_missing ? -EINVAL : netns_of_argument(launch, arguments[1], paths);
}

/* stack: argc, argv, NULL, envp, NULL, auxv, as the kernel laid it out. */
_Noreturn void launcher_start(u64 *stack) {
  struct program program;
  struct record record = {.arguments = (char **)stack + 1,
                          .environment = (char **)stack + 1 + stack[0] + 1,
                          .aside = aside};
  char **end = record.environment;
  while (*end++ != NULL)
    ;
  record.environment_end = end;
  raise_descriptor_limit(&record.limits[GUARD_NOFILE]);
  struct launch launch = image()->launch; /* which can only be read */
  struct netns_paths paths;
  long result = find_netns(&launch, record.arguments, &paths);
  launch.failed_errno = (u64)-result;
  if (result == 0)
    sequence_run(&launch, &record, &program, 0);
  for (unsigned status = report(&launch, &program);;)
    CALL(__NR_exit_group, status);
}
