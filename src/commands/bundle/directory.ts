// An OCI bundle's directory.
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Refusal } from "../../errors.ts";
import { attempt, failure } from "../../system-error.ts";
import type { Layout } from "./config.ts";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/**
 * Writes all or nothing: config.json comes last, and on failure what was made before it is removed,
 * and nothing else. Throws Refusal.
 */
export function writeBundle(directory: string, config: object, layout: Layout): void {
  process.umask(0o022); // who starts the program need not be who writes this
  const made = new Made();
  // By descriptors: nobody can put another directory into the path meanwhile.
  const opened: number[] = [];
  const within = (name: string, path: string): string => {
    const open = () => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const directory = attempt("open", name, undefined, open);
    opened.push(directory);
    return `/proc/self/fd/${directory}`;
  };
  try {
    const parent = dirname(directory); // has no symbolic link in it, layout.ts
    const path = join(within(parent, parent), basename(directory));
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
      attempt("make", directory, undefined, () => made.directory(path));
    const inside = within(directory, path);
    refuseShared(directory, inside);
    fill(inside, made, config, layout);
  } catch (error) {
    made.remove();
    throw failure("write", directory, error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** Whoever can write in there could change the bundle before it is started, as root for example. */
function refuseShared(directory: string, path: string): void {
  const { uid, mode } = statSync(path);
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return;
  throw new Refusal(
    `cannot write a bundle into ${directory}: others can write in it`,
    "name another directory, or remove this one first",
  );
}

function fill(path: string, made: Made, config: object, { root, overlays, covers }: Layout): void {
  makeRoot(join(path, "rootfs"), made, root);
  if (overlays.length > 0) made.directory(join(path, "overlay"));
  for (const overlay of overlays) {
    makeLayer(join(path, "overlay", basename(overlay.layer)), made, overlay.directory, covers);
  }
  const unfinished = join(path, "config.json.new");
  made.file(unfinished, `${JSON.stringify(config, null, 2)}\n`);
  linkSync(unfinished, join(path, "config.json")); // unlike a rename, it replaces nothing
  unlinkSync(unfinished);
}

/** The mount points, so that the runtime need not make any. */
function makeRoot(path: string, made: Made, { entries, links }: Layout["root"]): void {
  made.directory(path);
  for (const entry of entries) made.empty(join(path, entry.path), entry.isDirectory);
  for (const link of links) made.link(join(path, link), readlinkSync(link));
}

/** The program sees the mode and owner of the topmost layer's root: they must be the directory's. */
function makeLayer(path: string, made: Made, directory: string, covers: Layout["covers"]): void {
  made.directory(path);
  for (const cover of covers) {
    if (dirname(cover.path) === directory) made.empty(join(path, basename(cover.path)), cover.isDirectory);
  }
  const { uid, gid, mode } = statSync(directory);
  chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
}

/** Makes files and directories, none in the place of an existing one, and removes them again on failure. */
class Made {
  readonly #removals: (() => void)[] = [];

  directory(path: string): void {
    mkdirSync(path);
    this.#removals.push(() => rmdirSync(path));
  }

  file(path: string, text: string): void {
    const file = openSync(path, "wx");
    this.#removals.push(() => unlinkSync(path));
    try {
      writeFileSync(file, text);
    } finally {
      closeSync(file);
    }
  }

  link(path: string, target: string): void {
    symlinkSync(target, path);
    this.#removals.push(() => unlinkSync(path));
  }

  empty(path: string, isDirectory: boolean): void {
    isDirectory ? this.directory(path) : this.file(path, "");
  }

  remove(): void {
    for (const removal of this.#removals.reverse()) {
      try {
        removal();
      } catch {
        // Somebody else has put something into it, or has removed it: that is left alone.
      }
    }
  }
}
