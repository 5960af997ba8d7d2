// Launches by the ten thousand on a host that does not keep still: it mounts and
// unmounts, and replaces its resolver's file. `npm run soak -- [LAUNCHES]`, in a
// mount namespace of its own whose / is shared; ends by itself, with 1 where
// anything was wrong or is left.
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { $ } from "bun";
import { mountTable, ownResolvConf } from "../host.ts";

const ID = "nspin-soak";
const FILE = "/run/systemd/resolve/resolv.conf";
const TASK = "nameserver 10.0.0.2\n";
const SEEN = "/run/seen";
const NSPIN = resolve(import.meta.dir, "../../dist/nspin");
const MOUNT_PAUSE_US = "500";
const WRITE_PAUSE_MS = 5;

const launches = Number(process.argv[2] ?? 100_000);
if (!(launches >= 10)) throw new Error("soak takes a number of launches, 10 at least");

await ownResolvConf(FILE);
writeFileSync(FILE, "nameserver 192.0.2.1\n");
await $`ip netns add ${ID} && mkdir -p /etc/netns/${ID} /run/storm`;
writeFileSync(`/etc/netns/${ID}/resolv.conf`, TASK);
await $`mount -t tmpfs storm /run/storm`;
await $`cc -Os -Wall -Wextra -o /run/storm-maker ${import.meta.dir}/storm.c`;
await $`cc -Os -Wall -Wextra -static -o ${SEEN} ${import.meta.dir}/seen.c`;
await $`${NSPIN} bake --netns ${ID} -o /run/launcher`;
const netns = (await $`ip netns exec ${ID} readlink /proc/self/ns/net`.text()).trim();

const state = () => ({
  mounts: mountTable(),
  run: readdirSync("/run").sort(),
  tmp: readdirSync("/tmp").sort(),
});
const before = state();
const wrong: string[] = [];
let rewrites = 0;
const storm = Bun.spawn(["/run/storm-maker", "/run/storm", MOUNT_PAUSE_US]);
const writer = setInterval(() => {
  writeFileSync(`${FILE}.new`, `nameserver 192.0.2.${++rewrites % 250}\n`);
  renameSync(`${FILE}.new`, FILE);
  if (!readFileSync("/etc/resolv.conf", "utf8").startsWith("nameserver 192.0.2."))
    wrong.push("the host's own file");
}, WRITE_PAUSE_MS);

const rows: Record<string, Record<string, number | string>> = {};
const run = (mode: string) => [NSPIN, "run", "--netns", ID, "--enter", mode, "--"];
const ways: Record<string, [command: string[], count: number]> = {
  "a launcher": [["/run/launcher"], launches],
  "--enter setns": [run("setns"), launches],
  "--enter nsenter": [run("nsenter"), Math.round(launches / 10)],
};
for (const [way, [command, count]] of Object.entries(ways)) {
  const start = Date.now();
  const failed = await launch(command, count);
  wrong.push(...failed);
  const ruleOfThree = failed.length > 0 ? "-" : `< ${(3e6 / count).toFixed(0)} in a million`;
  rows[way] = {
    launches: count,
    wrong: failed.length,
    "wrong, at 95 %": ruleOfThree,
    seconds: Math.round((Date.now() - start) / 1000),
  };
}

clearInterval(writer);
storm.kill();
await storm.exited;
await $`umount -l /run/storm/* 2>/dev/null`.nothrow().quiet();
const after = state();
const left = [...new Set([...after.mounts, ...after.run, ...after.tmp])].filter(
  (one) => ![...before.mounts, ...before.run, ...before.tmp].includes(one),
);
console.table(rows);
console.log(`meanwhile the host replaced its file ${rewrites} times; left behind: ${left.length}`);
for (const what of [...wrong.slice(0, 10), ...left.slice(0, 10)]) console.log(what);
process.exit(wrong.length + left.length === 0 && after.mounts.length === before.mounts.length ? 0 : 1);

/** Twice as many at a time as there are processors. Returns what went wrong. */
async function launch(command: string[], count: number): Promise<string[]> {
  const failed: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next++ < count) {
      const child = Bun.spawn([...command, SEEN, TASK, netns], {
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      });
      const [said, status] = await Promise.all([child.stderr.text(), child.exited]);
      if (status !== 0 || said !== "") failed.push(`${command.join(" ")}: ${status} ${said}`);
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, worker));
  return failed;
}
