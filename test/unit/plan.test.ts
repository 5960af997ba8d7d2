import { describe, expect, test } from "bun:test";
import { readRun } from "../../src/arguments.ts";
import { DECISIONS, STEPS } from "../../src/contract.ts";
import { propagationNote, toWords } from "../../src/explain.ts";
import { parseMountinfo } from "../../src/mountinfo.ts";
import { makePlan } from "../../src/plan.ts";

const plan = (...words: string[]) => makePlan(readRun(words));

describe("network namespace", () => {
  test.each([
    ["a", "/run/netns/a"],
    ["/run/netns/a", "/run/netns/a"],
    ["/var/run/netns/a", "/var/run/netns/a"],
  ])("%p has a name and its files in /etc", (id, path) => {
    expect(plan("--netns", id, "p")).toMatchObject({ netns: path, etc: "/etc/netns/a", covers: [] });
  });
  test.each([
    ["pid:42", "/proc/42/ns/net"],
    ["/proc/42/ns/net", "/proc/42/ns/net"],
    ["/run/netns/a/b", "/run/netns/a/b"],
    ["/run/netns/..", "/run/netns/.."],
  ])("%p has none", (id, path) => {
    const bound = plan("--netns", id, "--bind", "x:/etc/resolv.conf", "p");
    expect(bound).toMatchObject({ netns: path, etc: undefined, covers: [{ source: "x", isEntry: false }] });
    expect(plan("--netns", id, "--no-etc", "p")).toMatchObject({ netns: path, etc: undefined, covers: [] });
    expect(() => plan("--netns", id, "p")).toThrow(`network namespace ${JSON.stringify(id)} has no name`);
  });
  test("nsenter enters by the thread's id, the mount namespace only if there are covers", () => {
    const words = (...options: string[]) => plan(...options, "p").words;
    const thread = ["/usr/bin/nsenter", "--target", "TID"];
    expect(words("--netns", "a")).toEqual([...thread, "--net", "--mount", "--root", "--wd", "--"]);
    expect(words("--netns", "a", "--no-etc")).toEqual([...thread, "--net", "--"]);
    expect(words("--bind", "a:/b")).toEqual([...thread, "--mount", "--root", "--wd", "--"]);
    expect(plan("--netns", "a", "p").tidWord).toBe(3);
    expect(words("--netns", "a", "--enter", "setns")).toEqual([]);
  });
  test("--no-etc", () => expect(plan("--netns", "a", "--no-etc", "p").etc).toBeUndefined());

  test.each([
    ["", "the name is empty"],
    ["a/b", 'a name has no "/"'],
    ["..", "it is a directory's name"],
    ["a\nb", "a newline or NUL is in the name"],
    ["a\0b", "a newline or NUL is in the name"],
    ["pid:0", "N is not a process id"],
    ["pid:x", "N is not a process id"],
  ])("%p is refused", (id, why) => {
    expect(() => plan("--netns", id, "p")).toThrow(
      `cannot use network namespace ${JSON.stringify(id)}: ${why}`,
    );
  });
  test("one target twice is refused", () => {
    expect(() => plan("--bind", "a:/x", "--bind", "b:/x", "p")).toThrow("option --bind covers /x twice");
  });
});

describe("steps, in words", () => {
  const number = (name: (typeof STEPS)[number]["name"]) => STEPS.findIndex((step) => step.name === name) + 1;
  const decision = (name: (typeof DECISIONS)[number]["name"]) =>
    DECISIONS.findIndex((decision) => decision.name === name) + 1;
  /** What each step says, of the second of two covers. */
  const says = (...words: string[]) => {
    const undecided = plan("--netns", "a", "--bind", "/s/x:/x", "--bind", "/s/y:/y", ...words);
    const covers = undecided.covers.map((cover, i) => ({
      ...cover,
      decision: decision(i === 0 ? "PLAIN" : "LINK"),
    }));
    const steps = STEPS.map(({ name }) => ({ number: number(name), cover: 1 }));
    return new Map(toWords(steps, { ...undecided, covers }).map(({ name, does }) => [name, does]));
  };

  test("each names what it is about", () => {
    const told = says("--enter", "nsenter", "p", "an argument");
    expect([...told.keys()]).toEqual(STEPS.map(({ name }) => name));
    const about = { NETNS: "/run/netns/a", ETC: "/etc/netns/a", RESOLV_CONF: "/etc/netns/a/resolv.conf" };
    const cover = { SOURCE: "/s/y", TARGET: "/y", USED: "/y", BIND: "/s/y over /y", LOCK: "/run/nspin.lock" };
    const objects: Record<string, string> = {
      NONE: "",
      COMMAND: "/usr/bin/nsenter",
      PROGRAM: "p",
      ...about,
      ...cover,
    };
    for (const { name, does, object } of STEPS)
      if (name !== "EXECUTE" && object !== "METHOD")
        expect(told.get(name)).toBe(`${does} ${objects[object]}`.trim());
  });
  test("the decision comes with its reason", () => {
    const { why } = DECISIONS[decision("LINK") - 1] as (typeof DECISIONS)[number];
    expect(says("p").get("DECIDE")).toBe(`use method rejoin on /y: ${why}`);
  });
  test("the program is named with its words, as a shell takes them", () => {
    const told = says("--enter", "setns", "p", "an argument", "it's");
    expect(told.get("EXECUTE")).toBe("execute p 'an argument' 'it'\\''s'");
    expect(told.get("FIND")).toBe("find p");
  });
  test("they are told in the order in which they were reported, each of its own cover", () => {
    const of = plan("--bind", "/s/x:/x", "--bind", "/s/y:/y", "p");
    const steps = [
      { number: number("BIND"), cover: 1 },
      { number: number("BIND"), cover: 0 },
      { number: number("UNSHARE"), cover: 0 },
    ];
    const does = ["bind /s/y over /y", "bind /s/x over /x", "unshare the mount namespace"];
    expect(toWords(steps, of).map((step) => step.does)).toEqual(does);
  });
});

const FIRST = "1 0 0:1 / / rw shared:1 - ext4 a rw";
test.each([
  ["1 0 0:1 / / rw shared:1 - ext4 a rw", FIRST, ""],
  ["1 0 0:1 / / rw shared:1 - ext4 a rw", "", ""],
  ["1 0 0:1 / / rw shared:7 master:1 - ext4 a rw", FIRST, "/ is no peer of the host's"],
  ["1 0 0:1 / / rw shared:7 - ext4 a rw", FIRST, "/ is no peer of the host's"],
  ["1 0 0:1 / / rw - ext4 a rw", FIRST, "/ is private"],
  ["1 0 0:1 / / rw master:3 - ext4 a rw", FIRST, "/ is a slave"],
  ["1 0 0:1 / / rw shared:1 - ext4 a rw\n2 1 0:2 / / rw - overlay b rw", FIRST, "/ is private"],
])("what does not propagate: %p, process 1: %p", (table, first, note) => {
  const found = propagationNote(parseMountinfo(table), parseMountinfo(first));
  expect(found).toStartWith(note);
  if (note === "") expect(found).toBe("");
});
