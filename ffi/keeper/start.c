#include "../aside/own-dns.h"
#include "../sequence.h"
#include "keeping.h"

#include <asm/errno.h>
#include <linux/capability.h>

/* Of a path that is relative to a working directory that it has not. */
static void copy_path(char to[PATH_BYTES], const char *path) {
  to[0] = '\0';
  if (*path == '\0')
    return; /* of --own-dns: in memory, no path leads to it */
  if (*path != '/') {
    long bytes = CALL(__NR_getcwd, to, PATH_BYTES);
    if (bytes <= 0 || *to != '/' ||
        (size_t)bytes + 1 + text_length(path) > PATH_BYTES) {
      to[0] = '\0';
      return;
    }
    to = text_copy(to + bytes - 1, "/");
  }
  if (text_length(path) < PATH_BYTES)
    text_copy(to, path);
}

static void name(struct keeper *keeper, const char *process,
                 const char *program) {
  static const char own[] = "nspin-keeper";
  for (const char *c = program; *c != '\0'; c++)
    if (*c == '/' && c[1] != '\0')
      program = c + 1;
  text_cut(keeper->process, process, sizeof keeper->process);
  text_cut(keeper->name, program, sizeof keeper->name);
  text_copy(keeper->daemon.name, own);
  char *end = text_copy(keeper->daemon.words, own) + 1;
  end = text_copy(end, keeper->process) + 1;
  end = text_copy(end, keeper->name) + 1;
  keeper->daemon.word_bytes = (size_t)(end - keeper->daemon.words);
}

static void copy_paths(struct kept *kept, const struct cover *cover) {
  copy_path(kept->source,
            cover->is_entry == OF_OWN_DNS ? "" : (const char *)cover->source);
  copy_path(kept->target, (const char *)cover->target);
}

static void keep(struct keeper *keeper, const struct cover *cover,
                 const struct target *target) {
  struct kept *kept = &keeper->kept[keeper->count];
  keeper->count++;
  kept->shown = target->shown;
  kept->spare = -1;
  text_copy(kept->id, target->cover_id);
  copy_paths(kept, cover);
  text_copy(kept->path, target->on_host.path);
  if (cover->is_entry == OF_OWN_DNS)
    make_spare(kept); /* from the first moment: it can be had nowhere else */
  if (target->within.here < 0)
    return;
  struct within *within = keeper->within;
  while (within->mount.here >= 0)
    within++;
  within->mount = target->within;
  text_copy(within->path, target->directory);
}

/* 0: what is there is none. */
static long find_cover(struct kept *kept) {
  struct place place;
  struct mount mount;
  long result = path_open(-1, kept->target, LINK_ITSELF, &place);
  if (result == -ENOENT || result == -ENOTDIR)
    return 0; /* the keeper waits for it */
  MUST(result);
  text_copy(kept->path, place.path);
  result = mount_of(place.fd, &mount);
  if (result == 0 && mount_is_cover(&mount, place.path)) {
    text_copy(kept->id, mount.id);
    result = file_look_at(place.fd, &kept->shown);
    result = result < 0 ? result : 1;
  }
  close_file(&place.fd);
  return result;
}

/* As at a launch, by what the host's file says now. */
static long make_anew(struct kept *kept) {
  struct target made;
  struct host host = HOST_NOT_OPEN;
  target_init(&made);
  long result = host_open(&host);
  if (result == 0)
    result = own_dns_make(&made, kept->target, &host);
  host_close(&host);
  kept->spare = made.clone;
  kept->shown = made.shown;
  return result;
}

/* Of a program that runs: its cover as it is, or what shall cover it again. */
static long keep_again(struct keeper *keeper, const struct cover *cover) {
  struct kept *kept = &keeper->kept[keeper->count];
  struct place source;
  keeper->count++;
  kept->spare = -1;
  copy_paths(kept, cover);
  long found = find_cover(kept);
  if (found != 0)
    return found < 0 ? found : 0;
  if (cover->is_entry == OF_OWN_DNS)
    return make_anew(kept);
  MUST(path_open(-1, kept->source, LINK_FOLLOWED, &source));
  long result = file_look_at(source.fd, &kept->shown);
  close_file(&source.fd);
  return result;
}

/*
 * As a launch asks before it wants a keeper, and move_mount(2), by which that
 * would have covered: one that can cover nothing would only look as if it
 * could.
 */
static long check_calls(void) {
  MUST(sequence_keeper_calls());
  long result = CALL(__NR_move_mount, -1, "", -1, "", 0);
  return result == -ENOSYS || result == -EPERM ? result : 0;
}

long keeper_start(const struct launch *launch, const struct target *targets,
                  const char *process, const char *program) {
  const struct cover *covers = (const struct cover *)launch->covers;
  int is_late = !IS_LAUNCHER && targets == NULL; /* of `nspin refresh` */
  u64 count = launch->cover_count;
  u64 within_count = count + 8; /* what the host mounts on a directory */
  unsigned long bytes = sizeof(struct keeper) + count * sizeof(struct kept) +
                        within_count * (sizeof(struct within) + PATH_BYTES) +
                        (4 + 3 * count) * sizeof(long);
  if (is_late)
    MUST(check_calls());
  u64 namespace = file_inode("/proc/self/ns/mnt");
  if (namespace == 0)
    return -ENOENT; /* by which it knows the members */
  long at = daemon_allocate(bytes);
  if (is_error(at))
    return at;
  struct keeper *keeper = (struct keeper *)at;
  keeper->kept = (struct kept *)(keeper + 1);
  keeper->within = (struct within *)(keeper->kept + count);
  keeper->within_count = within_count;
  long *files = (long *)(keeper->within + within_count);
  char *paths = (char *)(files + 4 + 3 * count);
  for (u64 i = 0; i < within_count; i++) {
    keeper->within[i].mount = (struct directory_mount)NO_DIRECTORY_MOUNT;
    keeper->within[i].path = paths + i * PATH_BYTES;
  }
  keeper->daemon.files = files;
  *files++ = keeper->table =
      CALL(__NR_openat, AT_FDCWD, OWN_TABLE, O_RDONLY | O_CLOEXEC);
  long member = is_late ? (long)text_value(process, 10) : CALL(__NR_getpid);
  *files++ = keeper->program = CALL(__NR_pidfd_open, member, 0);
  *files++ = keeper->proc =
      CALL(__NR_openat, AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int pipe[2] = {-1, -1};
  long result = CALL(__NR_pipe2, pipe, O_CLOEXEC);
  *files++ = keeper->daemon.starter = pipe[0];
  for (u64 i = 0; i < count && result == 0; i++)
    if (is_late) {
      result = keep_again(keeper, &covers[i]);
      *files++ = keeper->kept[i].spare;
    } else if (targets[i].is_kept) {
      keep(keeper, &covers[i], &targets[i]);
      *files++ = targets[i].within.here;
      *files++ = targets[i].within.peer;
      *files++ = keeper->kept[keeper->count - 1].spare;
      if (covers[i].is_entry == OF_OWN_DNS && files[-1] < 0)
        result = -ESTALE;
    }
  keeper->daemon.file_count = (size_t)(files - keeper->daemon.files);
  keeper->daemon.run = keeper_run;
  keeper->daemon.capabilities = 1u << CAP_SYS_ADMIN | 1u << CAP_SYS_CHROOT |
                                1u << CAP_SYS_PTRACE |
                                1u << CAP_DAC_READ_SEARCH;
  keeper->is_read_only = launch->read_only != 0;
  keeper->is_moving = (launch->extras & EXTRA_SYS) != 0;
  keeper->namespace = namespace;
  keeper->signals = -1;
  for (int i = 0; i < KEEPER_WATCHES; i++)
    keeper->watches[i].fd = -1;
  name(keeper, process, program);
  keeper->left = (struct left){-1, -1};
  if (result == 0)
    result = keeper->table < 0     ? keeper->table
             : keeper->program < 0 ? keeper->program
             : keeper->proc < 0    ? keeper->proc
                                   : daemon_start(&keeper->daemon);
  return result; /* what is open here goes by execve, or exit */
}
