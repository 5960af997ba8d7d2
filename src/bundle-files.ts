// An OCI bundle's directory.
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { attempt, failure } from "./errno.ts";
import type { Layout } from "./oci.ts";

/** All or nothing: config.json comes last, and what was made before it goes where that fails. */
export function writeBundle(directory: string, config: object, { root, overlays, covers }: Layout): void {
  const isNew = lstatSync(directory, { throwIfNoEntry: false }) === undefined;
  process.umask(0o022); // who starts the program need not be who writes this
  if (isNew) attempt("make", directory, undefined, () => mkdirSync(directory));
  try {
    makeRoot(join(directory, "rootfs"), root);
    for (const overlay of overlays) makeLayer(overlay, covers);
    const finished = join(directory, "config.json");
    const unfinished = `${finished}.new`;
    writeFileSync(unfinished, `${JSON.stringify(config, null, 2)}\n`, { flag: "wx" });
    linkSync(unfinished, finished); // unlike a rename, it replaces nothing
    rmSync(unfinished);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw failure("write", directory, error);
    for (const name of ["rootfs", "overlay", "config.json.new"]) {
      rmSync(join(directory, name), { recursive: true, force: true });
    }
    if (isNew) rmdirSync(directory);
    throw failure("write", directory, error);
  }
}

/** The places of the mounts, so that the runtime need not make any. */
function makeRoot(directory: string, { entries, links }: Layout["root"]): void {
  mkdirSync(directory);
  for (const { path, isDirectory } of entries) makeEmpty(join(directory, path), isDirectory);
  for (const path of links) symlinkSync(readlinkSync(path), join(directory, path));
}

/** The layer's own mode and owner are the merged directory's. */
function makeLayer({ directory, layer }: Layout["overlays"][number], covers: Layout["covers"]): void {
  mkdirSync(layer, { recursive: true });
  for (const { path, isDirectory } of covers) {
    if (dirname(path) === directory) makeEmpty(join(layer, basename(path)), isDirectory);
  }
  const { uid, gid, mode } = statSync(directory);
  chownSync(layer, uid, gid);
  chmodSync(layer, mode & 0o7777);
}

function makeEmpty(path: string, isDirectory: boolean): void {
  if (isDirectory) mkdirSync(path);
  else writeFileSync(path, "", { flag: "wx" });
}
