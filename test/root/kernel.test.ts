// Where this kernel is newer than what nspin falls back from: every method case
// once more, with the kernel's newer answers taken away.
import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { cases } from "../method/cases.ts";
import { keeperCases } from "../method/keeper.ts";
import { files } from "./hello-and-world.ts";
import { start } from "./start.ts";

const { directory, hello, world } = files();
const REFUSE = `${directory}/refuse`;
beforeAll(() => $`cc -O1 -Wall -Wextra -Werror test/root/refuse.c -o ${REFUSE}`.then(() => {}));

const STATMOUNT = "457";
const [EPERM, ENOSYS] = ["1", "38"];
/** stx_mask without STATX_MNT_ID and STATX_MNT_ID_UNIQUE. */
const olderStatx = "inject=statx:poke_exit=@arg5=ff0f0000";
const strace = [
  "strace",
  "-f",
  "-qq",
  "-o",
  "/dev/null",
  "--seccomp-bpf",
  "-e",
  "trace=statx",
  "-e",
  olderStatx,
];

/** What a launch then reads, of these two. */
const TABLE = "/proc/self/mountinfo";
const FDINFO = "/proc/self/fdinfo";

const kernels: [name: string, prefix: () => string[], reads: Record<string, boolean>][] = [
  ["as it is", () => [], { [TABLE]: false, [FDINFO]: false }],
  ["without statmount(2), Linux 6.8", () => [REFUSE, STATMOUNT, ENOSYS], { [TABLE]: true, [FDINFO]: false }],
  ["statmount(2) refused by a filter", () => [REFUSE, STATMOUNT, EPERM], { [TABLE]: true, [FDINFO]: false }],
  ["without STATX_MNT_ID, Linux 5.8", () => strace, { [TABLE]: true, [FDINFO]: true }],
];

describe.each(kernels)("%s", (name, prefix, reads) => {
  test("what a launch reads instead", async () => {
    const trace = `${directory}/trace`;
    const older = prefix()[0] === "strace" ? ["-e", olderStatx] : prefix();
    const bind = ["--bind", `${world}:${hello}`, "--method", "rejoin"];
    const command = [NSPIN, "run", ...bind, "--enter", "setns", "cat", hello];
    const traced = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=openat,read,statx"];
    const seen = await start([...traced, ...older, ...command]);
    expect(seen).toMatchObject({ status: 0, stdout: "WORLD\n", stderr: "" });
    const lines = readFileSync(trace, "utf8").split("\n");
    // Its own of the table is opened to be polled, and not read.
    const isRead = (path: string) =>
      lines.some((line, i) => line.includes(`"${path}`) && / read\(/.test(lines[i + 1] ?? ""));
    expect(Object.fromEntries([TABLE, FDINFO].map((path) => [path, isRead(path)]))).toEqual(reads);
  });

  if (name !== "as it is")
    test("every method case", async () => {
      const seen = await start([...prefix(), process.execPath, "test/vm/tap.ts"]);
      const lines = seen.stdout.split("\n").filter((line) => /^(not )?ok /.test(line));
      expect(lines.filter((line) => !line.startsWith("ok"))).toEqual([]);
      expect(lines.length).toBe(cases.length + keeperCases.length);
    }, 300_000);
});
