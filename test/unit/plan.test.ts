import { describe, expect, test } from "bun:test";
import { readRun } from "../../src/cli.ts";
import { makePlan } from "../../src/plan.ts";
import { stepsOf } from "../../src/steps.ts";

const etc = { "/etc/netns/a": ["hosts", "resolv.conf"] } as Record<string, string[]>;
const plan = (...words: string[]) => makePlan(readRun(words), (directory) => etc[directory] ?? []);

describe("network namespace", () => {
  test.each([
    ["a", "/run/netns/a"],
    ["/run/netns/a", "/run/netns/a"],
    ["/var/run/netns/a", "/var/run/netns/a"],
  ])("%p has a name and its files in /etc", (id, path) => {
    const { netns, covers } = plan("--netns", id, "p");
    expect(netns).toBe(path);
    expect(covers.map(({ source, target }) => [source, target])).toEqual([
      ["/etc/netns/a/hosts", "/etc/hosts"],
      ["/etc/netns/a/resolv.conf", "/etc/resolv.conf"],
    ]);
  });
  test("pid:N", () => expect(plan("--netns", "pid:42", "--no-etc", "p").netns).toBe("/proc/42/ns/net"));
  test("--bind goes before /etc/netns", () => {
    const { covers } = plan("--netns", "a", "--bind", "x:/etc/resolv.conf", "p");
    expect(covers.map(({ source }) => source)).toEqual(["x", "/etc/netns/a/hosts"]);
  });

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
  test("without a resolv.conf is refused", () => {
    expect(() => plan("--netns", "b", "p")).toThrow("cannot find /etc/netns/b/resolv.conf");
    expect(() => plan("--netns", "pid:1", "p")).toThrow('network namespace "pid:1" has no name');
  });
  test("one target twice is refused", () => {
    expect(() => plan("--bind", "a:/x", "--bind", "b:/x", "p")).toThrow("option --bind covers /x twice");
  });
});

describe("steps", () => {
  const names = (...words: string[]) => stepsOf(plan(...words)).map(({ name }) => name);
  test("without covers nothing of the mounts changes", () => {
    expect(names("--netns", "a", "--no-etc", "p")).not.toContain("UNSHARE");
  });
  test("each cover is taken whole before the next", () => {
    const pin = ["INSPECT", "SELF_BIND", "PRIVATE"];
    const all = names("--bind", "a:/x", "--bind", "b:/y", "p");
    const at = all.indexOf("INSPECT");
    expect(all.slice(at, at + 7) as string[]).toEqual([...pin, ...pin, "UNSHARE"]);
  });
  test("the network namespace is joined only by --enter setns", () => {
    expect(names("--netns", "a", "p")).not.toContain("JOIN_NETNS");
    expect(names("--netns", "a", "--enter", "setns", "p")).toContain("JOIN_NETNS");
  });
});
