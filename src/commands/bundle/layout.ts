// Options, and the host as it is -> what is in the bundle.
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { CoverOptions } from "../../arguments.ts";
import { CAPABILITIES } from "../../contract.ts";
import { decide } from "../../decide.ts";
import { Refusal } from "../../errors.ts";
import { type Mount, mountOf, mountTable } from "../../mountinfo.ts";
import { type Cover as Asked, makePlan } from "../../plan.ts";
import { cannot, hintOf, real, stat } from "../../system-error.ts";
import type { Layout, Shown } from "./config.ts";

export interface BundleOptions extends CoverOptions {
  readonly directory: string;
  readonly method: "auto" | "overlay";
  readonly share: readonly string[];
  /** NAME=VALUE each. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly program: readonly string[];
}

type Cover = Layout["covers"][number];
/** isLedTo: by a symbolic link in another directory, and not one that all share, such as /run. */
type Target = Cover & { readonly isLedTo: boolean };
type Overlay = Layout["overlays"][number];

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

interface Bundle {
  /** Its absolute path. */
  readonly directory: string;
  readonly layout: Layout;
  /** What the user should know about it. */
  readonly notes: readonly string[];
}

/** Changes nothing. Throws Refusal, or Reported. */
export function layOut(options: BundleOptions): Bundle {
  const table = mountTable();
  const { directory, holder } = locate(options.directory, table);
  const { netns, covers } = coversOf(options, table);
  const shares = options.share.map((name) => share(name, covers, directory, holder, table));
  refuseNested(shares);
  const inUse = [...table.map(({ point }) => point), ...shares.map(({ path }) => path)];
  const overlays = overlaysOf(covers, options.method, inUse, directory);
  if (!stat("use as working directory", options.cwd).isDirectory()) {
    throw cannot("use as working directory", options.cwd, "ENOTDIR");
  }
  const capabilities = ownCapabilities();
  const layout: Layout = {
    netns,
    root: rootOf(directory, table),
    overlays,
    covers,
    readOnly: options.readOnly,
    shares,
    program: options.program,
    env: lastOfEach([PATH, ...options.env]),
    cwd: options.cwd,
    capabilities,
  };
  const isKept = ({ path }: Cover) => overlays.some((overlay) => overlay.directory === dirname(path));
  const notes = covers
    .filter((cover) => !isKept(cover))
    .map(({ path }) => `${path} is covered until the host replaces it; --method overlay keeps the cover`);
  if (capabilities >> BigInt(CAPABILITIES.length) > 0n) {
    notes.push(`capabilities above ${CAPABILITIES.length - 1} are left out: this nspin has no name for them`);
  }
  return { directory, layout, notes };
}

// --- where the bundle goes ---

/** The absolute path of what can become the bundle's directory, and the mount that holds it. */
function locate(name: string, table: readonly Mount[]): { directory: string; holder: Mount } {
  const wanted = resolve(name);
  const parent = real("open", dirname(wanted));
  const directory = join(parent, basename(wanted));
  const existing = lstatSync(directory, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isDirectory()) throw cannot("make", directory, "ENOTDIR");
  if (existing !== undefined && readdirSync(directory).length > 0) {
    throw cannot(
      "write a bundle into",
      directory,
      "ENOTEMPTY",
      "name another directory, or remove this one first",
    );
  }
  // The runtime makes the mount that holds its rootfs private, in its own
  // namespace, and takes every bind from there: what the host mounts on that
  // one would not arrive, nor what the program mounts reach the host.
  const holder = mountOf(existing === undefined ? parent : directory, table);
  const other = table.find((mount) => mount.parent === holder.id && mount.id !== holder.id);
  if (other !== undefined) {
    throw new Refusal(
      `cannot put a bundle into ${directory}: the runtime cuts the mount that holds it off from the host's, and there are others on it, such as ${other.point}`,
      "name a directory on a mount of its own on which the host mounts nothing, for example below /dev/shm",
    );
  }
  return { directory, holder };
}

// --- what the program sees ---

function rootOf(bundleDirectory: string, table: readonly Mount[]): Layout["root"] {
  const all = readdirSync("/", { withFileTypes: true });
  const entries = all
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry): Shown => {
      const path = `/${entry.name}`;
      return { path, isDirectory: entry.isDirectory(), options: mountOf(path, table).options };
    });
  // First the one that holds the bundle: later it held, and doubled, all before it.
  entries.sort((a, b) => Number(isIn(bundleDirectory, b.path)) - Number(isIn(bundleDirectory, a.path)));
  const links = all.filter((entry) => entry.isSymbolicLink()).map(({ name }) => `/${name}`);
  return { entries, links };
}

/**
 * The sequence lists /etc/netns/ID, and checks what covers what, as at the start of a launch; a
 * bundle's list is fixed when it is written. A launch covers a symbolic link itself, but a runtime
 * what it leads to: so the sequence checks that once more.
 */
function coversOf(options: BundleOptions, table: readonly Mount[]) {
  const plan = makePlan({
    ...options,
    method: "auto",
    keep: false,
    enter: "setns",
    skip: 0,
    words: [],
    extras: [],
  });
  const checked = { ...plan, netns: undefined }; // it may come later
  const covers = decide(checked).plan.covers.map((cover) => followLinks(cover, table));
  const followed = covers.map(({ source, path, isEntry }) => ({ source, target: path, isEntry }));
  decide({ ...checked, etc: undefined, covers: followed });
  return { netns: plan.netns, covers };
}

function followLinks({ source, target, isEntry }: Asked, table: readonly Mount[]): Target & Asked {
  const realSource = real("open", resolve(source), hintOf("OPEN_SOURCE", "ENOENT"));
  const path = real("open", target, hintOf("OPEN_TARGET", "ENOENT", isEntry));
  const directory = dirname(path);
  return {
    source: realSource,
    target,
    isEntry,
    path,
    isDirectory: stat("open", path).isDirectory(),
    options: mountOf(realSource, table).options,
    isLedTo: directory !== real("open", dirname(target)) && dirname(directory) !== "/",
  };
}

/**
 * A runtime follows a symbolic link and covers what it leads to, and a rename
 * over that takes the cover away. Under an overlay it does not: the file that
 * is covered is then the overlay's own.
 */
function overlaysOf(
  covers: readonly Target[],
  method: BundleOptions["method"],
  inUse: readonly string[],
  bundleDirectory: string,
): Overlay[] {
  const directories = new Set<string>();
  for (const { path, isLedTo } of covers) {
    const directory = dirname(path);
    const hidden = inUse.find((point) => point !== directory && isIn(point, directory));
    const why =
      hidden !== undefined
        ? `it would hide ${hidden}`
        : /[:,\\]/.test(directory + bundleDirectory)
          ? 'one of ":,\\" is in its path, or in the bundle\'s'
          : undefined;
    if (method === "overlay" && why !== undefined) {
      throw new Refusal(`cannot lay an overlay on ${directory}: ${why}`);
    }
    if (why === undefined && (method === "overlay" || isLedTo)) directories.add(directory);
  }
  return [...directories]
    .sort((a, b) => a.length - b.length) // an outer one would hide an inner
    .map((directory, i) => ({ directory, layer: join(bundleDirectory, "overlay", String(i)) }));
}

// --- what reaches the host ---

/** Where runtimes, and what is built on them, mount what is in no config, such as systemd's notify socket. */
const OTHERS_OWN = ["/run/notify", "/run/systemd", "/dev", "/proc", "/sys", "/etc"];

function share(
  name: string,
  covers: readonly Cover[],
  bundleDirectory: string,
  cutOff: Mount,
  table: readonly Mount[],
): Shown {
  const refuse = (why: string, hint?: string) => new Refusal(`cannot share ${name}: ${why}`, hint);
  const path = real("share", name, "create it first");
  if (!stat("share", path).isDirectory()) throw cannot("share", name, "ENOTDIR");
  const covered = covers.find((cover) => isIn(cover.path, path) || isIn(path, cover.path));
  if (covered !== undefined) throw refuse(`${covered.path} is covered: one would hide the other`);
  const own = OTHERS_OWN.find((one) => isIn(one, path));
  if (own !== undefined) {
    throw refuse(
      `what a runtime may itself mount in ${own} would land on the host`,
      "share a directory that only the program mounts in",
    );
  }
  if (isIn(bundleDirectory, path)) throw refuse("the bundle is in it", "put the bundle elsewhere");
  const holder = mountOf(path, table);
  if (holder.id === cutOff.id) {
    throw refuse(
      `the bundle is on the same mount, ${holder.point}, which the runtime cuts off from the host's`,
      "put the bundle elsewhere, for example below /dev/shm",
    );
  }
  if (holder.peerGroup === undefined) {
    throw refuse(
      `the mount that holds it, ${holder.point}, is not shared: nothing can reach the host`,
      `'mount --make-shared ${holder.point}' on the host; systemd does it for /`,
    );
  }
  return { path, isDirectory: true, options: holder.options };
}

function refuseNested(shares: readonly Shown[]): void {
  for (const [i, { path }] of shares.entries()) {
    const other = shares.find((one, j) => i !== j && isIn(path, one.path));
    if (other !== undefined) {
      throw new Refusal(
        `cannot share ${path}: ${other.path} is shared, and its mount would land on the host`,
        "share the outer one only",
      );
    }
  }
}

// --- small ---

/** All, for root on a host; a runtime cannot give more than there are here. */
function ownCapabilities(): bigint {
  const [, bounding = "0"] = /^CapBnd:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return BigInt(`0x${bounding}`);
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** The last of those with the same name. */
function lastOfEach(variables: readonly string[]): string[] {
  return [
    ...new Map(variables.map((variable) => [variable.slice(0, variable.indexOf("=")), variable])).values(),
  ];
}
