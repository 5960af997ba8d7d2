// What the mount table of a program's mount namespace says of its covers. Only the kernel writes it.
import { dirname } from "node:path";
import { type Mount, parseMount } from "../mountinfo.ts";

/** One file or directory that nspin covers in a mount namespace. */
export interface CoverSeen {
  readonly target: string;
  /** Where the host has what is shown there; or where its file system has it, which the host does not show. */
  readonly source: string;
  readonly isOnHost: boolean;
  /** What is shown has been removed from where it was: by a rename over it, for one. */
  readonly isRemoved: boolean;
  /** A copy is shown, by the keeper, of a source that was gone. */
  readonly isCopy: boolean;
  /** Another mount lies on the cover. */
  readonly isHidden: boolean;
  readonly method: "cover" | "rejoin" | "pin" | "overlay";
  readonly isReadOnly: boolean;
}

/** A mount table, of which only those lines are taken apart that are asked for. */
export class Table {
  readonly #lines: readonly string[];
  readonly #tails: ReadonlySet<string>;
  #byId: Map<number, string> | undefined;
  #all: readonly Mount[] | undefined;

  constructor(text: string) {
    this.#lines = text.trimEnd().split("\n");
    this.#tails = new Set(this.#lines.map(tailOf));
  }

  /** Those of another place, kind or propagation than any mount in that table; no id is the same in both. */
  otherThan(table: Table): Mount[] {
    return this.#lines.filter((line) => !table.#tails.has(tailOf(line))).map(parseMount);
  }

  mount(id: number): Mount | undefined {
    this.#byId ??= new Map(this.#lines.map((line) => [Number.parseInt(line, 10), line]));
    const line = this.#byId.get(id);
    return line === undefined ? undefined : parseMount(line);
  }

  /** What is mounted on that mount, at its root. */
  isCovered({ id, point }: Mount): boolean {
    const parent = ` ${id} `;
    return this.#lines.some((line) => {
      if (line.indexOf(parent) !== line.indexOf(" ")) return false;
      return parseMount(line).point === point;
    });
  }

  /** The same at the same place, as what a program mounts is on the host, too. */
  shows({ device, root, point }: Mount): boolean {
    return this.all().some((one) => one.device === device && one.root === root && one.point === point);
  }

  all(): readonly Mount[] {
    this.#all ??= this.#lines.map(parseMount);
    return this.#all;
  }

  /** The topmost on "/". */
  root(): Mount | undefined {
    return this.#lines
      .filter((line) => line.includes(" / "))
      .map(parseMount)
      .findLast(({ point }) => point === "/");
  }

  /** The network namespaces that have a name: by inode, as each is mounted on a file of /run/netns. */
  namespaces(): Map<number, string> {
    const names = new Map<number, string>();
    for (const line of this.#lines) {
      if (!line.includes(" net:[")) continue;
      const { root, point } = parseMount(line);
      const inode = Number(/^net:\[(\d+)\]$/.exec(root)?.[1]);
      const name = /^(?:\/var)?\/run\/netns\/([^/]+)$/.exec(point)?.[1];
      if (!Number.isNaN(inode) && name !== undefined) names.set(inode, name);
    }
    return names;
  }
}

/** All but the ids of the mount and its parent, by which no two tables are alike. */
function tailOf(line: string): string {
  return line.slice(line.indexOf(" ", line.indexOf(" ") + 1));
}

/**
 * A private mount on a private mount of the target onto itself, ffi/cover.h: nobody else lays such
 * two. One that a keeper has laid lies on the target itself before Linux 6.5, or where it was killed before it
 * laid what is to be beneath: so on its mount of the directory, or, hasKeeper, on any.
 */
export function coversIn(table: Table, host: Table, hasKeeper: boolean): CoverSeen[] {
  const covers = new Map<string, CoverSeen>();
  const laid = table.otherThan(host);
  const keepers = new Set(laid.filter((mount) => isOfKeeper(mount, table)).map(({ id }) => id));
  for (const mount of laid) {
    if (!isPrivate(mount)) continue;
    const below = table.mount(mount.parent);
    if (below === undefined) continue;
    const isOnTwo = below.point === mount.point && isPrivate(below) && isOntoItself(below, table);
    const isOnDirectory = keepers.has(below.id) && !host.shows(mount);
    const isOnTarget = (hasKeeper && isFromNetns(mount, host)) || isOnDirectory;
    if (isShowing(mount, below) || !(isOnTwo || isOnTarget)) continue;
    const holder = isOnTwo ? table.mount(below.parent) : below;
    if (covers.get(mount.point)?.isHidden === false) continue; // that one lies on this one
    covers.set(mount.point, {
      ...sourceOf(mount, host),
      target: mount.point,
      isHidden: table.isCovered(mount),
      method: methodOf(below, holder),
      isReadOnly: mount.options.includes("ro"),
    });
  }
  return [...covers.values()];
}

/** What covers by --own-dns is in memory: no path leads to it. */
export const OWN_DNS = "--own-dns";

function isPrivate({ peerGroup, isSlave }: Mount): boolean {
  return peerGroup === undefined && !isSlave;
}

/** The two show the same file. */
function isShowing(mount: Mount, below: Mount): boolean {
  return mount.device === below.device && mount.root === below.root;
}

/**
 * A directory on itself and yet a peer of what it lies on, ffi/directory-mount.h, or a slave, where the keeper was
 * killed while it covered: of anybody else's the host would have another.
 */
function isOfKeeper(mount: Mount, table: Table): boolean {
  const group = table.mount(mount.parent)?.peerGroup;
  if (group === undefined || !isOntoItself(mount, table)) return false;
  return mount.peerGroup === group || (mount.peerGroup === undefined && mount.isSlave);
}

/** A mount of what its parent has at that place; where the parent cannot be reached, its path ends so. */
function isOntoItself(mount: Mount, table: Table): boolean {
  const parent = table.mount(mount.parent);
  if (parent === undefined) return mount.root.endsWith(mount.point);
  return mount.device === parent.device && mount.root === join(parent.root, parent.point, mount.point);
}

/** Where a path below point is in what root shows. */
function join(root: string, point: string, path: string): string {
  const within = path.slice(point === "/" ? 0 : point.length);
  return root === "/" ? within || "/" : root + within;
}

function isFromNetns(mount: Mount, host: Table): boolean {
  const { source, isCopy } = sourceOf(mount, host);
  return netnsOf(source) !== undefined || isCopy || source === OWN_DNS;
}

/** The name in /etc/netns/NAME/FILE. */
export function netnsOf(source: string): string | undefined {
  return /^\/etc\/netns\/([^/]+)\/[^/]+$/.exec(source)?.[1];
}

/**
 * Where what a cover shall show is, or will be once it is back; undefined: nothing tells. Some editors rename the old
 * file, to FILE~ or FILE.old, and write a new one: that is to be shown.
 */
export function meantBy({ source, target, isOnHost, isCopy }: CoverSeen): string | undefined {
  if (!isOnHost) return isCopy && source.startsWith("/") ? source : undefined;
  const name = target.slice(target.lastIndexOf("/"));
  const at = source.lastIndexOf("/");
  const isRenamed = netnsOf(source) !== undefined && source.slice(at).startsWith(name);
  return isRenamed ? source.slice(0, at) + name : source;
}

const REMOVED = "//deleted";

type Source = Pick<CoverSeen, "source" | "isOnHost" | "isRemoved" | "isCopy">;

/** A copy is named by what it is of, ffi/keeper/elsewhere.c; one by an earlier version "nspin". */
function sourceOf({ device, root, name }: Mount, host: Table): Source {
  const isRemoved = root.endsWith(REMOVED);
  const shown = isRemoved ? root.slice(0, -REMOVED.length) : root;
  const [holder] = host
    .all()
    .filter((one) => one.device === device && isBelow(shown, one.root))
    .sort((a, b) => b.root.length - a.root.length);
  const onHost = { isOnHost: true, isRemoved, isCopy: false };
  const elsewhere = { isOnHost: false, isRemoved, isCopy: false };
  if (holder !== undefined) {
    const within = shown.slice(holder.root === "/" ? 0 : holder.root.length);
    return { source: holder.point === "/" ? within || "/" : holder.point + within, ...onHost };
  }
  if (name === "own-dns") return { source: OWN_DNS, ...elsewhere };
  if (root === "/copy") return { source: name, ...elsewhere, isRemoved: true, isCopy: true };
  return { source: shown, ...elsewhere };
}

function isBelow(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** Pin: the host has the target bound onto itself, so in the copy there are two such mounts. */
function methodOf(below: Mount, holder: Mount | undefined): CoverSeen["method"] {
  if (below.name === "nspin") return "overlay";
  if (holder === undefined) return "cover";
  if (holder.peerGroup !== undefined || holder.isSlave) return "rejoin";
  return isShowing(holder, below) && holder.point === below.point ? "pin" : "cover";
}

/** Where something was covered, as a keeper's mount of the directory tells, and nothing is any more. */
export function bareDirectories(host: Table, table: Table, covers: readonly CoverSeen[]): string[] {
  const laid = table.otherThan(host).filter((mount) => isOfKeeper(mount, table));
  const covered = new Set(covers.map(({ target }) => dirname(target)));
  return [...new Set(laid.map(({ point }) => point))].filter((point) => !covered.has(point));
}

/** A mount of the host's that is shared there, and here is no peer of it any more. */
export interface Apart {
  readonly point: string;
  /** What the host mounts there still arrives. */
  readonly isSlave: boolean;
}

export function apartFrom(host: Table, table: Table): Apart[] {
  const shared = host.otherThan(table).filter(({ peerGroup }) => peerGroup !== undefined);
  if (shared.length === 0) return [];
  const here = table.all();
  const apart: Apart[] = [];
  for (const { device, root, point, peerGroup } of shared) {
    const same = here.filter((one) => one.point === point && one.device === device && one.root === root);
    if (same.length === 0 || same.some((one) => one.peerGroup === peerGroup || isBelowSys(one, here)))
      continue;
    apart.push({ point, isSlave: same.some((one) => one.isSlave) });
  }
  return apart;
}

/** What --sys has laid its own on. */
function isBelowSys({ id, point, isSlave }: Mount, table: readonly Mount[]): boolean {
  const isOwn = (one: Mount) => one.parent === id && one.point === point && one.name === "sysfs";
  return isSlave && table.some((one) => isOwn(one) && isPrivate(one));
}

/** Its / is a mount of the host's /, and a peer of it where that is shared. */
export function hasRootOf(host: Table, table: Table): boolean {
  const own = table.root();
  const other = host.root();
  if (own === undefined || other === undefined) return false;
  return (
    own.device === other.device &&
    own.root === other.root &&
    own.peerGroup === other.peerGroup &&
    own.isSlave === other.isSlave
  );
}
