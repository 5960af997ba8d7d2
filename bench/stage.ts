// A host whose resolv.conf is a link, a network namespace with a file of its own,
// and every program that is timed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { $ } from "bun";
import { compile } from "../build/bundle.ts";
import { ownResolvConf } from "../test/kit/own-etc.ts";
import type { Name } from "./names.ts";

const ID = "nspin-bench";
const SOURCE = `/etc/netns/${ID}/resolv.conf`;
/** What the program shall read. */
export const SOURCE_TEXT = "nameserver 192.0.2.53";
const CONTENTS = `${SOURCE_TEXT}\n`;
export const HOST_FILE = "/run/systemd/resolve/resolv.conf";
export const PATH = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
export const FREESTANDING = [
  "-std=gnu11",
  "-Os",
  "-ffreestanding",
  "-nostdlib",
  "-static",
  "-fno-stack-protector",
];

/** What starts a program in a network namespace; the program's words follow. */
export function prefixesOf(nspin: string, published: string, id: string) {
  const run = `${nspin} run --netns ${id}`;
  return {
    setns: `${run} --enter setns --no-keep --`,
    setnsKept: `${run} --enter setns --`,
    run: `${run} --no-keep --`,
    runKept: `${run} --`,
    published: `${published} ${id}`,
    ip: `ip netns exec ${id}`,
    nsenter: `nsenter --net=/run/netns/${id} --`,
  };
}

export interface Stage {
  /** What each is started by; a program that exits is the last word, or in the bundle. */
  readonly commands: Readonly<Partial<Record<Name, string>>>;
  /** Why a name has no command. */
  readonly leftOut: Readonly<Partial<Record<Name, string>>>;
  /** A line of shell that undoes what one start leaves. */
  readonly undo: Readonly<Partial<Record<Name, string>>>;
  /** A launcher, by method pin. */
  readonly pin: string;
  /** A launcher whose keeper stays; the program's words follow. */
  readonly kept: string;
  readonly tools: Readonly<Record<"peak" | "mounts" | "stack" | "window" | "again", string>>;
  /** A directory on the disk. */
  readonly own: string;
  /** In it, where the programs are. */
  readonly installed: string;
}

/** In a mount namespace of its own, whose / is shared. */
export async function makeStage(own: string): Promise<Stage> {
  const isSystemd = existsSync("/run/systemd/system"); // sd_booted(3); the next line hides it
  await ownResolvConf(HOST_FILE);
  writeFileSync(HOST_FILE, "nameserver 192.0.2.1\n");
  await $`ip netns add ${ID}`;
  mkdirSync(`/etc/netns/${ID}`, { recursive: true });
  writeFileSync(SOURCE, CONTENTS);
  const { exits, same, bare, published, empty, nspin, launcher, kept, pin, sequence, ...tools } =
    await install(own);
  const bundle = "/run/bundle";
  await $`mkdir ${bundle} && mount -t tmpfs bundle ${bundle}`; // a runtime cuts its mount off
  await $`${nspin} bundle ${bundle}/soci --netns ${ID} -- ${exits}`;

  const prefixes = {
    exec: "",
    launcher,
    kept,
    ...prefixesOf(nspin, published, ID),
    same,
    bare,
    shell: `${sequence} ${ID}`,
    bwrap: `bwrap --dev-bind / / --bind ${SOURCE} /etc/resolv.conf --`,
  };
  const undo = { published: `umount -q ${HOST_FILE} || :` };
  for (const [name, prefix] of Object.entries(prefixes)) {
    if (!["exec", "bare", "nsenter"].includes(name)) await look(name, prefix);
  }
  await $`sh -c ${undo.published}`;
  await compare(launcher, same, exits);

  const commands: Partial<Record<Name, string>> = { empty };
  for (const [name, prefix] of Object.entries(prefixes)) commands[name as Name] = `${prefix} ${exits}`.trim();
  // crun refuses a host that has both of cgroups(7)'s hierarchies, where a controller is in the second.
  await $`umount -q /sys/fs/cgroup/unified`.nothrow().quiet();
  for (const runtime of ["runc", "crun"] as const)
    commands[runtime] = `${runtime} run --bundle ${bundle}/soci nspin-bench`;
  const leftOut: Partial<Record<Name, string>> = {};
  if (isSystemd) commands.systemd = await bySystemd(own, exits);
  else leftOut.systemd = "systemd is not PID 1 here";
  for (const command of Object.values(commands)) await $`env -i PATH=${PATH.PATH} ${command.split(" ")}`;
  await $`sh -c ${undo.published}`;
  return { commands, leftOut, undo, pin: `${pin} ${exits}`, kept, tools, own, installed: dirname(nspin) };
}

/**
 * Builds all of them, and copies them into one directory, all in the same way and
 * right before the first start: by how a file of 109 MB got into the page cache (as
 * Bun wrote it, or read again later) a start takes up to 1 ms longer.
 */
async function install(own: string) {
  const built = join(own, "built");
  const installed = join(own, "installed");
  mkdirSync(built);
  const at = (name: string) => join(built, name);
  await $`cc ${FREESTANDING} bench/exits.c -o ${at("exits")}`;
  const id = `-DID=${JSON.stringify(ID)}`;
  for (const name of ["same", "bare", "peak"])
    await $`cc ${FREESTANDING} ${id} ffi/launcher/start.S bench/${name}.c -o ${at(name)}`;
  for (const name of ["mounts", "stack", "again"]) await $`cc -O2 bench/${name}.c -o ${at(name)}`;
  await $`cc -O2 bench/window.c ffi/holder.c ffi/mount-namespace.c ffi/mount.c ffi/proc.c ffi/text.c -o ${at("window")}`;
  const go = { GO111MODULE: "off", CGO_ENABLED: "0", GOCACHE: resolve("dist/go") };
  await $`go build -o ${at("published")} bench/published.go`.env({ ...process.env, ...go });
  writeFileSync(at("empty.ts"), "");
  await compile([at("empty.ts")], at("empty"));
  await $`dist/nspin bake --netns ${ID} --no-keep -o ${at("launcher")}`;
  await $`dist/nspin bake --netns ${ID} -o ${at("kept")}`;
  await $`dist/nspin bake --netns ${ID} --method pin -o ${at("pin")}`;
  const names = ["exits", "same", "bare", "published", "empty", "launcher", "kept", "pin"] as const;
  const tools = ["peak", "mounts", "stack", "window", "again"] as const;
  const files = [...names, ...tools].map(at);
  await $`install -D -t ${installed} ${files} dist/nspin bench/sequence.sh`;
  await $`rm -r ${built}`;
  const paths = [...files, "nspin", "sequence"].map((file) => [
    basename(file),
    join(installed, basename(file)),
  ]);
  return {
    ...(Object.fromEntries(paths) as Record<(typeof names | typeof tools)[number] | "nspin", string>),
    sequence: `${installed}/sequence.sh`,
  };
}

/** Does it show the file? What is timed has to do the job. */
async function look(name: string, prefix: string): Promise<void> {
  const seen = await $`env -i PATH=${PATH.PATH} ${prefix.split(" ")} /bin/cat /etc/resolv.conf`.text();
  if (seen !== CONTENTS) throw new Error(`by ${name} the program reads ${JSON.stringify(seen)}`);
}

/** The names of the system calls of both, in order. */
async function compare(launcher: string, same: string, exits: string): Promise<void> {
  const [ours, other] = await Promise.all(
    [launcher, same].map(async (program) => {
      const trace = `${program}.strace`;
      await $`env -i strace -qq -o ${trace} ${program} ${exits}`;
      return readFileSync(trace, "utf8").replaceAll(/\(.*/g, "").split("\n");
    }),
  );
  const at = ours?.findIndex((call, i) => call !== other?.[i]) ?? 0;
  if (at >= 0)
    throw new Error(`bench/same.c: its call ${at + 1} is ${other?.[at]}, a launcher's ${ours?.[at]}`);
}

/** systemd mounts in its own namespace, where the host of this stage is not; its files are on the disk. */
async function bySystemd(own: string, exits: string): Promise<string> {
  const file = join(own, "resolv.conf");
  writeFileSync(file, CONTENTS);
  const properties = [
    `NetworkNamespacePath=/proc/${process.pid}/root/run/netns/${ID}`,
    `BindPaths=${file}:/etc/resolv.conf`,
  ].map((property) => `--property=${property}`);
  return `nsenter --target 1 --mount systemd-run --quiet --wait ${properties.join(" ")} ${exits}`;
}
