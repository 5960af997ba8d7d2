// A launcher's file: what is written is what is read, and nothing else is taken for one.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readElf } from "../../build/elf.ts";
import { readBake } from "../../src/commands/bake.ts";
import { METHODS } from "../../src/contract.ts";
import { ARCHES, readLauncher, writeLauncher } from "../../src/launcher-file.ts";
import type { Plan } from "../../src/plan.ts";

const plan: Plan = {
  netns: "/run/netns/task1",
  etc: "/etc/netns/task1",
  covers: [],
  method: "auto",
  keep: true,
  strict: false,
  readOnly: false,
  enter: "setns",
  words: [Buffer.from("soci-snapshotter-grpc")],
  tidWord: 0,
  lock: "/run/nspin.lock",
  skip: 1,
  program: [],
};

describe.each(ARCHES)("%s", (arch) => {
  test("is below 48 KiB, and no segment is writable", () => {
    const file = writeLauncher(plan, arch);
    expect(file.length).toBeLessThan(48 * 1024);
    const [code, ofPlan, stack, ...more] = readElf(file).segments;
    const [R, W, X] = [4, 2, 1];
    expect([code?.flags, ofPlan?.flags, stack?.flags, more]).toEqual([R | X, R, R | W, []]);
    expect(ofPlan).toMatchObject({
      filesz: file.length - (ofPlan?.offset ?? 0),
      memsz: ofPlan?.filesz as number,
    });
  });

  test("any other byte in any place is refused", () => {
    const file = writeLauncher(plan, arch);
    for (let at = 0; at < file.length; at++) {
      const other = Buffer.from(file);
      other[at] = (other[at] as number) ^ 0x10;
      expect(() => readLauncher(other)).toThrow();
    }
    expect(() => readLauncher(file.subarray(0, -1))).toThrow();
    expect(() => readLauncher(Buffer.concat([file, Buffer.alloc(1)]))).toThrow();
    expect(readLauncher(file)).toEqual({ plan, arch });
  });
});

test("another file is refused", () => {
  expect(() => readLauncher(Buffer.alloc(0))).toThrow("it is no launcher");
  expect(() => readLauncher(Buffer.alloc(100_000))).toThrow("it is no launcher");
});

test("any plan comes back", () => {
  const path = fc.string({ unit: "binary" }).map((name) => `/${name.replaceAll("\0", "").toWellFormed()}`);
  const word = fc.uint8Array().map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)));
  const plans = fc.record({
    netns: fc.option(path, { nil: undefined }),
    etc: fc.option(path, { nil: undefined }),
    covers: fc.array(fc.record({ source: path, target: path, isEntry: fc.constant(false) }), {
      maxLength: 3,
    }),
    method: fc.constantFrom(...(Object.keys(METHODS) as Plan["method"][])),
    keep: fc.boolean(),
    readOnly: fc.boolean(),
    words: fc.array(word, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(plans, fc.constantFrom(...ARCHES), (some, arch) => {
      const whole = { ...plan, ...some };
      expect(readLauncher(writeLauncher(whole, arch))).toEqual({ plan: whole, arch });
    }),
    { numRuns: 2000 },
  );
});

describe("options", () => {
  const words = ["--netns", "a", "-o", "out"];
  test("the program may be left out, and begins where run's does", () => {
    expect(readBake(words)).toMatchObject({ netns: "a", output: "out", method: "auto", skip: 6 });
    expect(readBake([...words, "--", "p", "-o"])).toMatchObject({ output: "out", skip: 7 });
    expect(readBake([...words, "--arch=arm64"]).arch).toBe("arm64");
  });
  test.each([
    [["--netns", "a"], "no launcher is named"],
    [["--netns", "a", "-o", ""], "no launcher is named"],
    [["-o", "out"], "nothing to do"],
    [["--netns", "pid:1", "-o", "out"], 'cannot bake network namespace "pid:1"'],
    [["--netns", "a", "--bind", "b:/c", "-o", "out"], "needs an absolute SRC"],
    [["--netns", "a", "--enter", "setns", "-o", "out"], 'unknown option "--enter"'],
    [["--netns", "a", "--arch", "mips", "-o", "out"], "option --arch needs x64 or arm64"],
  ])("%p is refused", (words, why) => {
    expect(() => readBake(words)).toThrow(why);
  });
});
