// A launcher's file: what is written is what is read, and nothing else is taken for one.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { readElf } from "../../build/elf.ts";
import { version } from "../../package.json";
import { readBake } from "../../src/commands/bake.ts";
import { COVER_FIELDS, LAUNCH_FIELDS, METHODS } from "../../src/contract.ts";
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
  extras: [],
  enter: "setns",
  words: [Buffer.from("soci-snapshotter-grpc")],
  commandWords: 0,
  tidWord: 0,
  lock: "/run/nspin.lock",
  skip: 1,
  program: [],
};

describe.each(ARCHES)("%s", (arch) => {
  test("is as small as the documents say, and no segment is writable", () => {
    const file = writeLauncher(plan, arch);
    for (const document of ["docs/commands.md", "CHANGELOG.md"]) {
      const said = /static (?:program|launcher) of less than (\d+) KiB/.exec(readFileSync(document, "utf8"));
      expect([document, said?.[1]]).toEqual([document, "52"]);
    }
    expect(file.length).toBeLessThan(52 * 1024);
    const [code, ofPlan, stack, note, ...more] = readElf(file).segments;
    const [R, W, X] = [4, 2, 1];
    expect([code, ofPlan, stack, note].map((segment) => segment?.flags)).toEqual([R | X, R, R | W, R]);
    expect(more).toEqual([]);
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
    expect(readLauncher(file)).toEqual({ plan, arch, version, isOwn: true });
  });
});

// One of the version before launchers had a note, whose struct launch ended with failed_errno: what its
// writeLauncher() made of this plan and, in place of the code, its 232 bytes of headers alone.
const OLD =
  "f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAA8ABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAADAEAAAAAAAAEAAAAFAAAAAAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAAyqAAAAAAAADKoAAAAAAAAAAAAQAAAAAAAQAAAAQAAADoAAAAAAAAAOgAABAAAAAA6AAAEAAAAABTAQAAAAAAAFMBAAAAAAAAAAABAAAAAABR5XRkBgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAG5zcGluLTEAj7IPOOLsShiugf2axdCB55HUI2F9x3I901ouybyOzFS4AAAAAAAAAAkCABAAAAAAGgIAEAAAAADIAQAQAAAAAAEAAAAAAAAABAAAAAAAAAABAAAAAAAAAAEAAAAAAAAA/gEAEAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAACsCABAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA8AEAEAAAAAD3AQAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC9ydW4vYQAvZXRjL2IAc29jaQAtLWxvZwAvcnVuL25ldG5zL3Rhc2sxAC9ldGMvbmV0bnMvdGFzazEAL3J1bi9uc3Bpbi5sb2NrAA==";
const OLD_PLAN: Plan = {
  ...plan,
  covers: [{ source: "/run/a", target: "/etc/b", isEntry: false }],
  ...{ method: "rejoin", strict: true, readOnly: true },
  words: ["soci", "--log"].map((word) => Buffer.from(word)),
};

test("a launcher of an older version is read", () => {
  const { plan: old, ...about } = readLauncher(Buffer.from(OLD, "base64"));
  expect(about).toEqual({ arch: "x64", version: undefined, isOwn: false });
  expect(old).toEqual(OLD_PLAN);
});

/** Signed anew, as whoever writes a file can. */
function forge(change: (file: Buffer, plan: number) => void, more = Buffer.alloc(0)): Buffer {
  const old = Buffer.from(OLD, "base64");
  const digest = old.indexOf("nspin-1\0") + 8;
  change(old, digest + 32);
  const file = Buffer.concat([old, more]);
  file.fill(0, digest, digest + 32);
  Buffer.from(new Bun.CryptoHasher("sha256").update(file).digest()).copy(file, digest);
  return file;
}
const field = (name: (typeof LAUNCH_FIELDS)[number]) => LAUNCH_FIELDS.indexOf(name) * 8;

test("one of a later version, or with a plan that leads out of the file, is refused", () => {
  const put = (name: (typeof LAUNCH_FIELDS)[number], value: bigint) =>
    forge((file, at) => void file.writeBigUInt64LE(value, at + field(name)));
  const later = put("size", BigInt(LAUNCH_FIELDS.length + 1) * 8n);
  expect(() => readLauncher(later)).toThrow("it was baked by a later version of nspin");
  expect(() => readLauncher(put("method", 3n))).toThrow("its plan has no method");
  for (const name of ["cover_count", "word_count"] as const)
    for (const value of [99n, 1n << 31n, 1n << 40n, (1n << 64n) - 1n])
      expect(() => readLauncher(put(name, value))).toThrow();
  for (const name of ["netns", "etc", "covers", "words", "lock", "size"] as const)
    for (const value of [1n, 0x10000000n - 1n, 0x10000000n + 571n, (1n << 64n) - 1n])
      expect(() => readLauncher(put(name, value))).toThrow();
});

test("one whose plan would be much longer than the file is refused", () => {
  const text = Buffer.from(`${"x".repeat((64 << 10) - 1)}\0`);
  const end = BigInt(0x10000000 + Buffer.from(OLD, "base64").length);
  const covers = new BigUint64Array(1000 * COVER_FIELDS.length);
  for (let cover = 0; cover < covers.length; cover += COVER_FIELDS.length) covers.fill(end, cover, cover + 2);
  const bomb = forge(
    (file, at) => {
      file.writeBigUInt64LE(end + BigInt(text.length), at + field("covers"));
      file.writeBigUInt64LE(1000n, at + field("cover_count"));
    },
    Buffer.concat([text, Buffer.from(covers.buffer)]),
  );
  expect(() => readLauncher(bomb)).toThrow("its plan has one text in many places");
});

test("what does not end within the file ends with it", () => {
  const file = forge((file) => void file.write("x", file.length - 1));
  expect(() => readLauncher(file)).not.toThrow();
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
    ...{ netnsArgument: fc.constantFrom("netns" as const, "etc" as const) },
    words: fc.array(word, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(plans, fc.constantFrom(...ARCHES), (some, arch) => {
      const whole = { ...plan, ...some };
      const read = readLauncher(writeLauncher(whole, arch));
      expect(read).toEqual({ plan: whole, arch, version, isOwn: true });
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
    [["--netns", "a", "--netns-arg", "-o", "out"], "options --netns and --netns-arg exclude each other"],
    [["--netns", "a", "--user", "b", "-o", "out"], "option --user needs a group in a launcher: b:GROUP"],
    [["--netns", "pid:1", "-o", "out"], 'cannot bake network namespace "pid:1"'],
    [["--netns", "a", "--bind", "b:/c", "-o", "out"], "needs an absolute SRC"],
    [["--netns", "a", "--enter", "setns", "-o", "out"], 'unknown option "--enter"'],
    [["--netns", "a", "--arch", "mips", "-o", "out"], "option --arch needs x64 or arm64"],
  ])("%p is refused", (words, why) => {
    expect(() => readBake(words)).toThrow(why);
  });
});
