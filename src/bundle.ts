// Options, and the host as it is -> an OCI bundle in a directory.
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { writeBundle } from "./bundle-files.ts";
import { type BundleOptions, utf8 } from "./bundle-options.ts";
import { attempt, cannot, real, stat } from "./errno.ts";
import { Refusal } from "./errors.ts";
import { log } from "./log.ts";
import { type Mount, mountOf, mountTable } from "./mounts.ts";
import { type Layout, ociConfig, type Shown } from "./oci.ts";
import { type Cover as Asked, coversOf, RESOLV_CONF } from "./plan.ts";

type Cover = Layout["covers"][number];
/** isLedTo: by a symbolic link in another directory, and not one that all share, such as /run. */
type Target = Cover & { readonly isLedTo: boolean };
type Overlay = Layout["overlays"][number];

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Writes the bundle. Throws Refusal. */
export function bundle(options: BundleOptions): void {
  utf8("/proc/self/cmdline", "an argument");
  const table = mountTable();
  const { directory, holder } = place(options.directory, table);
  const { netns, etc, covers: bound } = coversOf(options);
  const asked = etc === undefined ? bound : [...bound, ...entriesOf(etc, bound)];
  const covers = asked.map((one) => cover(one, table));
  refuseOverlap(covers);
  const shares = options.share.map((name) => share(name, covers, directory, holder, table));
  refuseNested(shares);
  const inUse = [...table.map(({ point }) => point), ...shares.map(({ path }) => path)];
  const overlays = overlaysOf(covers, options.method, inUse, directory);
  if (!stat("use as working directory", options.cwd).isDirectory()) {
    throw new Refusal(`cannot use as working directory ${options.cwd}: Not a directory (ENOTDIR)`);
  }
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
    capabilities: ownCapabilities(),
  };
  writeBundle(directory, ociConfig(layout), layout);
  const isKept = ({ path }: Cover) => overlays.some((overlay) => overlay.directory === dirname(path));
  for (const { path } of covers.filter((cover) => !isKept(cover))) {
    log.info(`note: ${path} is covered until the host replaces it; --method overlay keeps the cover`);
  }
}

/** As ffi/etc.c does it at the start: a bundle's list is fixed when it is written. */
function entriesOf(etc: string, bound: readonly Asked[]): Asked[] {
  const names = existsSync(etc) ? attempt("list", etc, undefined, () => readdirSync(etc).sort()) : [];
  if (
    !names.includes("resolv.conf") &&
    !bound.some(({ target }) => target === RESOLV_CONF || target === "/etc")
  )
    throw cannot(
      "find",
      `${etc}/resolv.conf`,
      "ENOENT",
      `create it, name another with --bind FILE:${RESOLV_CONF}, or keep the host's with --no-etc`,
    );
  const entries = names.map((name) => ({ source: `${etc}/${name}`, target: `/etc/${name}`, isEntry: true }));
  return entries.filter((entry) => !bound.some(({ target }) => target === entry.target));
}

// --- where the bundle goes ---

/** The absolute path of what can become the bundle's directory, and the mount that holds it. */
function place(name: string, table: readonly Mount[]): { directory: string; holder: Mount } {
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

function cover({ source, target, isEntry }: Asked, table: readonly Mount[]): Target {
  const realSource = real("open", resolve(source), "this is what the program shall see: it must exist");
  const hint = isEntry
    ? "each entry of /etc/netns/ID covers its namesake in /etc, which must exist"
    : "only what exists can be covered: create it first";
  const path = real("open", target, hint);
  const isDirectory = stat("open", path).isDirectory();
  if (path === "/")
    throw cannot("lay", `${source} over /`, "EBUSY", "the root directory itself cannot be covered");
  if (stat("open", realSource).isDirectory() !== isDirectory) {
    const kinds = "a file covers a file, a directory covers a directory";
    throw cannot("lay", `${source} over ${target}`, isDirectory ? "ENOTDIR" : "EISDIR", kinds);
  }
  const directory = dirname(path);
  const isLedTo = directory !== real("open", dirname(target)) && dirname(directory) !== "/";
  return { path, isDirectory, source: realSource, options: mountOf(realSource, table).options, isLedTo };
}

function refuseOverlap(covers: readonly Cover[]): void {
  for (const [i, { path, source }] of covers.entries()) {
    if (covers.slice(0, i).some((other) => isIn(path, other.path) || isIn(other.path, path))) {
      const hint = "another cover is on the same file, or one is within the other: one would hide the other";
      throw cannot("lay", `${source} over ${path}`, "EEXIST", hint);
    }
  }
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
  if (!holder.isShared) {
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
