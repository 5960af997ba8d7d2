// What a program is to get -> the config.json of an OCI bundle, in the words of
// the OCI runtime specification. Pure.
//
// A runtime mounts in a copy of the host's mount namespace. What it lays on a
// peer of a host's mount lands on the host too, so the order is what protects
// the host: everything first becomes a slave, then it is covered, and only then
// are the shared directories, which hold no cover, mounted again as peers.
import { CAPABILITIES } from "../../contract.ts";

/** Something of the host's, at the path where the host has it; options are those of its mount. */
export interface Shown {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly options: readonly string[];
}

export interface Layout {
  readonly netns: string | undefined;
  /** What is in the host's root directory; links are made in the bundle's, not mounted. */
  readonly root: { readonly entries: readonly Shown[]; readonly links: readonly string[] };
  /** A directory of the host's, and one with what shall cover it: the program sees both, as one. */
  readonly overlays: readonly { readonly directory: string; readonly layer: string }[];
  readonly covers: readonly (Shown & { readonly source: string })[];
  readonly readOnly: boolean;
  readonly shares: readonly Shown[];
  readonly program: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** A bit for each, by its number. */
  readonly capabilities: bigint;
}

export function ociConfig(layout: Layout): object {
  const { netns, program, env, cwd, shares } = layout;
  const all = CAPABILITIES.filter((_, i) => (layout.capabilities >> BigInt(i)) & 1n).map(
    (name) => `CAP_${name}`,
  );
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: program,
      env,
      cwd,
      capabilities: { bounding: all, effective: all, permitted: all },
      noNewPrivileges: false,
    },
    root: { path: "rootfs", readonly: false },
    mounts: mounts(layout),
    linux: {
      // A namespace that is not listed is the runtime's own.
      namespaces: [{ type: "mount" }, ...(netns === undefined ? [] : [{ type: "network", path: netns }])],
      resources: { devices: [{ allow: true, access: "rwm" }] },
      // A slave's mounts reach no one, so without need nothing stays a peer. Not
      // rshared, nor rslave, which are not in the specification: newer runc (1.2.7)
      // gives the covers peers by the former. Each mount says what it is itself.
      rootfsPropagation: shares.length > 0 ? "shared" : "slave",
    },
  };
}

function mounts({ root, overlays, covers, readOnly, shares }: Layout): object[] {
  const bind = (shown: Shown, source: string, propagation: string, ...more: string[]) => ({
    destination: shown.path,
    type: "bind",
    source,
    options: [
      shown.isDirectory ? "rbind" : "bind",
      shown.isDirectory ? `r${propagation}` : propagation,
      // Without them crun's remount takes them away.
      ...shown.options.filter((option) => KEPT.includes(option)),
      ...more,
    ],
  });
  return [
    ...root.entries.map((shown) => bind(shown, shown.path, "slave")),
    ...overlays.map(({ directory, layer }) => ({
      destination: directory,
      type: "overlay",
      source: "overlay",
      options: ["ro", `lowerdir=${layer}:${directory}`],
    })),
    ...covers.map((cover) => bind(cover, cover.source, "private", ...(readOnly ? ["ro"] : []))),
    ...shares.map((shown) => bind(shown, shown.path, "shared")),
  ];
}

const KEPT = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"];
