import { describe, expect, test } from "bun:test";
import { readRun } from "../../src/arguments.ts";
import { DECISIONS } from "../../src/contract.ts";
import { propagationNote, stepsOf } from "../../src/explain.ts";
import { parseMountinfo } from "../../src/mountinfo.ts";
import { makePlan, type Plan } from "../../src/plan.ts";

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
  test("nsenter enters the mount namespace only if there are covers, by the thread's id", () => {
    const words = (...options: string[]) => plan(...options, "p").words;
    const entered = [
      "/usr/bin/nsenter",
      "--target",
      "TID",
      "--mount",
      "--net=/run/netns/a",
      "--root",
      "--wd",
      "--",
    ];
    expect(words("--netns", "a")).toEqual(entered);
    expect(plan("--netns", "a", "p").tidWord).toBe(3);
    expect(words("--netns", "a", "--no-etc")).toEqual(["/usr/bin/nsenter", "--net=/run/netns/a", "--"]);
    expect(plan("--netns", "a", "--no-etc", "p").tidWord).toBe(0);
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

describe("steps", () => {
  const decided = (name: (typeof DECISIONS)[number]["name"], holder = 0) => ({
    decision: DECISIONS.findIndex((decision) => decision.name === name) + 1,
    holder,
  });
  /** The steps of the plan, its covers decided so. */
  const names = (words: string[], ...decisions: ReturnType<typeof decided>[]) => {
    const undecided: Plan = plan(...words);
    const covers = decisions.map((decision, i) => {
      const cover = undecided.covers[i] ?? { source: `/s/${i}`, target: `/etc/${i}`, isEntry: true };
      return { ...cover, ...decision };
    });
    return stepsOf({ ...undecided, covers }).map(({ name }) => name as string);
  };
  const between = (all: string[], first: string, last: string) =>
    all.slice(all.indexOf(first) + 1, all.indexOf(last));

  test("without covers nothing of the mounts changes", () => {
    const all = names(["--netns", "a", "--no-etc", "p"]);
    for (const step of ["LIST", "FIND_RESOLV_CONF", "OPEN_HOST", "UNSHARE"]) expect(all).not.toContain(step);
  });
  test("the entries of /etc/netns/ID are listed after the namespace is checked, before any is opened", () => {
    const all = names(["--netns", "a", "p"], decided("LINK"));
    expect(between(all, "OPEN_NETNS", "OPEN_SOURCE")).toEqual([
      ...["CHECK_NETNS", "LIST", "FIND_RESOLV_CONF", "OPEN_HOST"],
    ]);
  });
  test("pin acts on the host under a lock, before the mounts are unshared", () => {
    const all = names(["--bind", "a:/x", "--bind", "b:/y", "p"], decided("PLAIN"), decided("FREE", 1));
    expect(between(all, "DECIDE", "UNSHARE").slice(-3)).toEqual(["LOCK", "SELF_BIND", "PRIVATE"]);
    expect(all).not.toContain("REJOIN");
  });
  test("a holder of two targets is left and rejoined once, and the host is not touched", () => {
    const words = ["--read-only", "--bind", "a:/x", "--bind", "b:/y", "p"];
    const all = names(words, decided("LINK"), decided("LINK"));
    const each = ["BIND", "BIND_PRIVATE", "READ_ONLY"];
    expect(between(all, "UNSHARE", "RESTORE")).toEqual([
      ...["LEAVE", "OPEN_SHOWN", "OPEN_SHOWN", ...each, ...each],
      ...["VERIFY_HERE", "VERIFY_HERE", "REJOIN", "VERIFY_HOST", "VERIFY_HOST"],
    ]);
    expect(all).not.toContain("SELF_BIND");
  });
  test("the network namespace is joined only by --enter setns", () => {
    expect(names(["--netns", "a", "p"])).not.toContain("JOIN_NETNS");
    expect(names(["--netns", "a", "--enter", "setns", "p"])).toContain("JOIN_NETNS");
  });
  test("/etc/netns/ID is listed, and must have a resolv.conf", () => {
    expect(between(names(["--netns", "a", "p"]), "CHECK_NETNS", "OPEN_HOST")).toEqual([
      "LIST",
      "FIND_RESOLV_CONF",
    ]);
    expect(names(["--netns", "a", "--no-etc", "p"])).not.toContain("LIST");
  });
  test("no launch has a step of unpin", () => {
    const all = names(["--netns", "a", "--enter", "setns", "p"], decided("PLAIN"));
    for (const step of ["FIND_PIN", "UNPIN"]) expect(all).not.toContain(step);
  });
});

const FIRST = "1 0 0:1 / / rw shared:1 - ext4 a rw";
test.each([
  ["1 0 0:1 / / rw shared:1 - ext4 a rw", FIRST, ""],
  ["1 0 0:1 / / rw shared:1 - ext4 a rw", "", ""],
  ["1 0 0:1 / / rw shared:7 master:1 - ext4 a rw", FIRST, "/ is no peer of process 1's"],
  ["1 0 0:1 / / rw shared:7 - ext4 a rw", FIRST, "/ is no peer of process 1's"],
  ["1 0 0:1 / / rw - ext4 a rw", FIRST, "/ is private"],
  ["1 0 0:1 / / rw master:3 - ext4 a rw", FIRST, "/ is a slave"],
  ["1 0 0:1 / / rw shared:1 - ext4 a rw\n2 1 0:2 / / rw - overlay b rw", FIRST, "/ is private"],
])("what does not propagate: %p, process 1: %p", (table, first, note) => {
  const found = propagationNote(parseMountinfo(table), parseMountinfo(first));
  expect(found).toStartWith(note);
  if (note === "") expect(found).toBe("");
});
