import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { until } from "../kit/until.ts";
import { files } from "./hello-and-world.ts";
import { nspin, start, without } from "./start.ts";

const directories = () => readdirSync("/tmp").filter((name) => name.startsWith("nspin-selftest-"));
const there = directories(); // one that was killed, on the machine itself: the container shows its /tmp
const left = () => directories().filter((name) => !there.includes(name));

test("1000 of 1000 pass, with a shared /", async () => {
  expect(mountTable().find((line) => line.includes(" / / "))).toContain("shared:");
  const before = mountTable();
  const run = await nspin(["selftest", "--count", "1000"]);
  expect(run).toMatchObject({ status: 0, stdout: "PASSED 1000\nFAILED 0\nTOTAL  1000\n" });
  expect(mountTable()).toEqual(before);
  expect(left()).toEqual([]);
}, 300_000);

test("unpinned, some fail by scheduling, and leave nothing", async () => {
  const before = mountTable();
  const run = await nspin(["selftest", "--count", "300", "--unpinned"]);
  expect(run.status).toBe(1);
  expect(Number(/^FAILED (\d+)$/m.exec(run.stdout)?.[1])).toBeGreaterThan(0);
  expect(run.stdout).toMatch(/nsenter finds no \/proc\/TID\/ns\/mnt|content mismatch/);
  expect(run.stdout).toMatch(/TOTAL {2}300\n$/);
  expect(mountTable()).toEqual(before);
  expect(left()).toEqual([]);
}, 300_000);

test("a hostile cwd changes nothing", async () => {
  const { directory } = files();
  writeFileSync(`${directory}/bunfig.toml`, 'preload = ["./evil.ts"]\n');
  writeFileSync(`${directory}/unpinned-worker.js`, 'console.log("evil")\n');
  writeFileSync(`${directory}/evil.ts`, 'console.log("evil")\n');
  const run = await nspin(["selftest", "--count", "5", "--unpinned"], { cwd: directory });
  expect(run.stdout + run.stderr).not.toContain("evil");
});

test("a work directory whose name --bind would take apart", async () => {
  const { directory } = files();
  const odd = `${directory}/a:b\\:c\\`;
  mkdirSync(odd);
  for (const more of [[], ["--unpinned"]]) {
    const run = await nspin(["selftest", "--count", "2", "--jobs", "1", "--work-dir", odd, ...more]);
    expect(run).toMatchObject({ stdout: expect.stringMatching(/TOTAL {2}2\n$/), stderr: "" });
  }
  expect(readdirSync(odd)).toEqual([]);
});

test("a binary that is gone meanwhile", async () => {
  const { directory } = files();
  const own = `${directory}/nspin`;
  copyFileSync(NSPIN, own);
  const run = start([own, "selftest", "--count", "50", "--jobs", "1"]);
  await until(async () => left().length > 0);
  rmSync(own);
  expect(await run).toMatchObject({ status: 0, stderr: "" });
});

test("without privilege", async () => {
  expect(await start([...without("sys_admin"), NSPIN, "selftest"])).toMatchObject({
    status: 125,
    stdout: "",
    stderr: expect.stringMatching(
      /^nspin: no run can start: cannot use CAP_SYS_ADMIN: Operation not permitted \(EPERM\)\nnspin: hint: run it as root.*\n$/,
    ),
  });
  expect(left()).toEqual([]);
});

test("a work directory that is not there", async () => {
  expect(await nspin(["selftest", "--work-dir", "/none"])).toMatchObject({
    status: 125,
    stderr:
      "nspin: cannot make a directory in /none: No such file or directory (ENOENT)\n" +
      "nspin: hint: name another with --work-dir\n",
  });
});
