// A host whose root is on a disk that is far away: a block device of which each read takes 1 ms, and as
// many as one likes are answered side by side. It is a loop device, on a file that FUSE answers so late
// (build/disk.c), with read-ahead of 128 KiB. bench/starts.c starts programs on it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { $, which } from "bun";
import { FREESTANDING, PATH, prefixesOf, type Stage } from "./stage.ts";

const MICROSECONDS = 1000;
/** Network namespaces are there, t1 and so on, each with a file of its own. */
export const TASKS = 200;
const RUNS = "/run/runs"; // in memory

/** Of a round; in milliseconds and KiB. */
const FIGURES = ["ms", "processor", "waits", "reads", "read", "memory"] as const;
export type Round = Readonly<Record<(typeof FIGURES)[number], number>>;

export interface Disk {
  /** COUNT at once, each for a task of its own; the first round is from a cold disk. */
  starts(by: By, count: number, rounds: number): Promise<Round[]>;
  end(): Promise<void>;
}

const ON_STAGE = prefixesOf("/opt/nspin", "/opt/published", "t{}");
/** Who starts RUNS, with {} for the number of the task. */
const PREFIXES = {
  ...ON_STAGE,
  launcher: "/opt/launcher t{}",
  kept: "/opt/kept t{}",
  empty: "/opt/empty", // which heeds no words
  /** Under a seccomp filter, where the guard does not ask for pages. */
  unasked: ON_STAGE.setns,
};
export type By = keyof typeof PREFIXES;

export async function makeDisk(stage: Stage): Promise<Disk> {
  const [disk, image, place, root, starts] = ["disk", "image", "place", "root", "starts"].map((name) =>
    join(stage.own, name),
  ) as [string, string, string, string, string];
  await $`cc -O2 -pthread build/disk.c -o ${disk} && cc -O2 -static bench/starts.c -o ${starts}`;
  await $`cc ${FREESTANDING} bench/runs.c -o ${RUNS}`;
  await fill(stage, root);
  await $`truncate -s 512M ${image} && mkfs.ext4 -q -d ${root} ${image} && rm -r ${root}`;
  await $`mkdir ${root} && touch ${place} && ${disk} ${image} ${place} ${MICROSECONDS} &> /dev/null`;
  const device = (await $`losetup --find --show --read-only --direct-io=on ${place}`.text()).trim();
  return {
    async starts(by, count, rounds) {
      const options = by === "unasked" ? ["-n"] : [];
      const words = [...options, device, root, count, rounds, ...PREFIXES[by].split(" "), RUNS];
      const lines = (await $`${starts} ${words}`.text()).trim().split("\n");
      return lines.map((line) => {
        const values = line.split(" ").map(Number);
        return Object.fromEntries(FIGURES.map((name, i) => [name, values[i]])) as Round;
      });
    },
    async end() {
      await $`losetup --detach ${device} && umount ${place}`;
    },
  };
}

/** The host's root: what is started, and all that it loads. */
async function fill({ installed }: Stage, root: string): Promise<void> {
  for (const directory of ["proc", "dev", "run", "old", "sys", "tmp", "opt", "etc/netns"])
    mkdirSync(join(root, directory), { recursive: true });
  await $`cp ${["nspin", "empty", "published"].map((file) => join(installed, file))} ${root}/opt`;
  await $`dist/nspin bake --netns-arg --no-keep -o ${root}/opt/launcher`;
  await $`dist/nspin bake --netns-arg -o ${root}/opt/kept`;
  await $`cp -P /etc/resolv.conf /etc/ld.so.cache ${root}/etc`;
  const programs = ["ip", "nsenter"].map((name) => which(name, PATH) as string);
  const loaded = await $`ldd ${programs} ${installed}/nspin`.text();
  const files = new Set(loaded.match(/(?<=\s)\/[^\s:]+(?= \()/g));
  await $`cp --parents -L ${[...programs, ...files]} ${root}`;
  for (let task = 1; task <= TASKS; task++) {
    await $`ip netns add t${task}`;
    const directory = join(root, "etc/netns", `t${task}`);
    mkdirSync(directory);
    writeFileSync(join(directory, "resolv.conf"), `nameserver 192.0.2.${task}\n`);
  }
}
