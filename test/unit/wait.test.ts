import { describe, expect, test } from "bun:test";
import { readRun } from "../../src/arguments.ts";
import { readDuration, wait } from "../../src/commands/wait.ts";
import { makePlan } from "../../src/plan.ts";

describe("a duration, as sleep(1) and systemd.time(7) have it", () => {
  test.each([
    ["10", 10_000],
    ["0", 0],
    ["1.5", 1500],
    ["500ms", 500],
    ["10s", 10_000],
    ["10 s", 10_000],
    ["2min", 120_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
    ["infinity", Number.POSITIVE_INFINITY],
  ])("%s", (text, milliseconds) => expect(readDuration(text)).toBe(milliseconds));

  test.each([
    "",
    "s",
    "-1",
    "1e3",
    "10x",
    "10 minutes",
    "1\n",
    " 1",
    "0x10",
    "NaN",
    "__proto__",
    "1toString",
  ])("%p is none", (text) =>
    expect(() => readDuration(text)).toThrow("option --wait needs a duration, not "),
  );
});

test("--wait can have a value, and takes no other word for it", () => {
  expect(readRun(["--netns=a", "--wait", "p", "10"])).toMatchObject({
    wait: "infinity",
    program: ["p", "10"],
  });
  expect(readRun(["--netns=a", "--wait=10", "p"]).wait).toBe("10");
  expect(readRun(["--netns=a", "p"]).wait).toBeUndefined();
  expect(() => readRun(["--netns=a", "--wait", "--wait=1", "p"])).toThrow("--wait is given more than once");
});

test.each([
  ["no network namespace", ["--bind=/a:/b"]],
  ["a process's", ["--netns=pid:4711", "--no-etc"]],
])("it waits for what has a name or a path, and not for %s", (_, words) => {
  const plan = makePlan(readRun([...words, "p"]));
  expect(() => wait(plan, "1", true)).toThrow(
    "option --wait needs a network namespace with a name or a path",
  );
});
