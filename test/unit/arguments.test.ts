import { describe, expect, test } from "bun:test";
import { readRun } from "../../src/arguments.ts";
import { readSelftest } from "../../src/commands/selftest/index.ts";

describe("run", () => {
  test("options end at the first word that is not one", () => {
    const options = readRun(["--netns", "a", "cat", "--bind", "x"]);
    expect(options).toMatchObject({ netns: "a", bind: [], program: ["cat", "--bind", "x"], skip: 4 });
  });
  test("options end at --", () => {
    expect(readRun(["--netns=a", "--", "--odd"])).toMatchObject({ program: ["--odd"], skip: 4 });
  });
  test.each(["5", "500ms", "2min", "1.5"])("--wait %s is refused: that would be the program", (word) => {
    const message = `option --wait takes its duration as --wait=${word}`;
    expect(() => readRun(["--netns=a", "--wait", word, "p"])).toThrow(message);
    expect(readRun(["--netns=a", "--wait", "--", word]).program).toEqual([word]);
    expect(readRun(["--netns=a", `--wait=${word}`, word])).toMatchObject({ wait: word, program: [word] });
  });
  test("an empty word and a lone - are a program", () => {
    expect(readRun(["--netns=a", ""]).program).toEqual([""]);
    expect(readRun(["--netns=a", "-"]).program).toEqual(["-"]);
  });
  test("--bind repeats, in order", () => {
    const { bind } = readRun(["--bind", "a:/x", "--bind=b:/y", "p"]);
    expect(bind).toEqual([
      { source: "a", target: "/x" },
      { source: "b", target: "/y" },
    ]);
  });
  test("flags", () => {
    expect(readRun(["--netns", "a", "--no-etc", "--dry-run", "--json", "-v", "p"])).toMatchObject({
      etc: false,
      dryRun: true,
      json: true,
      verbose: true,
      enter: "auto",
    });
  });

  test("--etc says what is so anyway", () => expect(readRun(["--netns=a", "--etc", "p"]).etc).toBeTrue());

  test.each([
    [["--netns", "a"], "no program given"],
    [["--etc", "--no-etc", "--netns", "a", "p"], "option --etc is given more than once"],
    [["--nets", "a", "p"], 'unknown option "--nets"'],
    [["-x", "p"], 'unknown option "-x"'],
    [["--no-netns", "p"], 'unknown option "--no-netns"'],
    [["--netns"], "option --netns needs a value"],
    [["--netns", "a", "--netns", "b", "p"], "option --netns is given more than once"],
    [["--dry-run=1", "p"], "option --dry-run takes no value"],
    [["--enter", "sudo", "--netns", "a", "p"], 'option --enter needs auto, nsenter or setns, not "sudo"'],
    [["p"], "nothing to do: neither --netns nor --bind is given"],
    [["--steps", "--netns", "a", "p"], "option --steps needs --dry-run or -v"],
    [["--json", "--netns", "a", "p"], "option --json needs --dry-run"],
    [["--bind", "/a", "p"], 'option --bind needs SRC:DST, two paths and one ":", not "/a"'],
    [["--bind", "/a:b", "p"], 'option --bind needs an absolute DST, not "b"'],
    [["--netns", "a", "--caps", "kill", "p"], "option --caps needs --user"],
    [
      ["--netns", "a", "--user", "b", "--enter", "nsenter", "p"],
      "options --user and --enter nsenter exclude",
    ],
    [["--netns", "a", "--user", "1000", "p"], "option --user needs a group with a number: 1000:GID"],
    ...["", ":", "a:", ":b", "a:b:c", "-a", "a:-b", "+0:1", "a:+0", "a b"].map((user): [string[], string] => [
      ["--netns", "a", "--user", user, "p"],
      `option --user needs NAME[:GROUP] or UID:GID, not ${JSON.stringify(user)}`,
    ]),
    ...["", "all", "-all", "net_raw,", "net raw"].map((caps): [string[], string] => [
      ["--netns", "a", "--user", "b", "--caps", caps, "p"],
      "option --caps needs capabilities, as net_bind_service,net_raw, not ",
    ]),
  ])("%p is refused", (words, message) => {
    expect(() => readRun(words)).toThrow(message);
  });
});

describe("selftest", () => {
  test("defaults", () => {
    expect(readSelftest([])).toEqual({ count: 1000, workDir: "/tmp", unpinned: false });
  });
  test.each([
    [["--count", "0"], "option --count needs at least 1"],
    [["--count", "1e3"], 'option --count needs a whole number, not "1e3"'],
    [["--jobs", "-1"], 'option --jobs needs a whole number, not "-1"'],
    [["more"], 'selftest takes no argument "more"'],
  ])("%p is refused", (words, message) => {
    expect(() => readSelftest(words)).toThrow(message);
  });
});
