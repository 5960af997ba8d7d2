#include "syslog.h"
#include "../message.h"

/* In libc's headers only: socket(2), send(2). */
#define AF_UNIX 1
#define SOCK_DGRAM 2
#define SOCK_CLOEXEC 02000000
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000

static void send_to_syslog(const struct message *message) {
  static const struct {
    unsigned short family;
    char path[9];
  } syslog = {AF_UNIX, "/dev/log"};
  long fd = CALL(__NR_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  CALL(__NR_sendto, fd, message->text, message->length,
       MSG_DONTWAIT | MSG_NOSIGNAL, &syslog, sizeof syslog - 1);
  close_file(&fd);
}

void report_kept(enum kept_event event, const struct kept_line *line) {
  struct message message;
  message.length = 0;
  say(&message, event == COVERED_AGAIN || event == FOLLOWED ? "<29>" : "<28>");
  say(&message, "nspin-keeper[");
  say_number(&message, (u64)CALL(__NR_getpid));
  say(&message, "]: ");
  say_name(&message, line->program);
  say(&message, " (process ");
  say(&message, line->process);
  say(&message, "): ");
  say_name(&message, event == FOLLOWED || event == NOT_FOLLOWED ? line->source
                                                                : line->target);
  switch (event) {
  case COVERED_AGAIN:
    say(&message, " was replaced on the host");
    if (line->link[0] != '\0') {
      say(&message, " by a symbolic link to ");
      say_name(&message, line->link);
    }
    say(&message, ", and is covered by ");
    say_name(&message,
             line->source[0] == '\0' ? "what --own-dns made" : line->source);
    say(&message, " again after ");
    break;
  case FOLLOWED:
    say(&message, " was replaced, and the program sees the new one after ");
    break;
  case NOT_FOLLOWED:
    say(&message, " was replaced, and the program goes on with the old one: ");
    break;
  case MISSING:
    say(&message, " is gone on the host, and is covered again when it is back");
    break;
  case NOT_COVERED:
    say(&message, " was replaced on the host, and CANNOT be covered again: ");
    break;
  }
  if (event == COVERED_AGAIN || event == FOLLOWED) {
    say_number(&message, line->microseconds);
    say(&message, " us");
  } else if (event != MISSING)
    say_error(&message, (u64)-line->error);
  if (line->unsaid > 0) {
    say(&message, "; ");
    say_number(&message, line->unsaid);
    say(&message, line->unsaid == 1 ? " such line was" : " such lines were");
    say(&message, " left out before");
  }
  send_to_syslog(&message);
}
