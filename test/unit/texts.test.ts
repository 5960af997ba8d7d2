// What the C says is, text by text, what its headers have: dist/texts.h holds it coded.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { texts } from "../../build/texts.ts";

const SOURCE = Buffer.from(`
#include "ffi/message.c"
#define FIRST_PAIR FIRST_PAIR_AGAIN /* of texts.h, in both */
#include "ffi/report.c"
static void line(const char *text) {
  CALL(__NR_write, 1, text, text_length(text));
  CALL(__NR_write, 1, "\\n", 1);
}
static void coded(const char *text) {
  struct message message = {0};
  say(&message, text);
  put(&message, '\\0');
  line(message.text);
}
#define VERB(name, fails, object, does) line(fails), coded(nth(verbs, i++));
#define ERROR(name, text) line(text " (" #name ")"), coded(nth(error_texts, i++));
#define ROW(step, error, when, text) line(text), coded(hint_text(i++));
#define REASON(name, asked, when, act, why) line(text_equal(#act, "REFUSE") ? why : ""), coded(nth(reasons, i++));
#define TEXT(name, text) line(text), coded(nth(sentences, i++));
int main(void) {
  int i = 0;
  LAUNCH_STEPS(VERB) i = 0;
  ERRORS(ERROR) i = 0;
  OWN_HINTS(ROW) HINTS(ROW) i = 0;
  DECISIONS(REASON) i = 0;
  SENTENCES(TEXT)
  return 0;
}
`);

const ways: [string, string[]][] = [
  ["the command line", []],
  ["a launcher", ["-DNSPIN_LAUNCHER"]],
];

test.each(ways)("every verb, reason, error and hint of %s", async (_, defines) => {
  await texts();
  const directory = mkdtempSync(join(tmpdir(), "nspin-texts-"));
  const program = join(directory, "texts");
  try {
    const flags = ["-std=gnu11", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-I.", ...defines];
    await $`cc ${flags} -o ${program} -xc - ffi/proc.c ffi/text.c < ${SOURCE}`;
    const lines = (await $`${program}`.text()).trimEnd().split("\n");
    const [said, written] = [1, 0].map((rest) => lines.filter((_, i) => i % 2 === rest));
    expect(said).toEqual(written as string[]);
    expect(said?.length).toBeGreaterThan(120);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
