// A file in a host's mount, and the words that start a program with another file
// over it. For any kernel: no more than a shell and util-linux.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountinfo } from "./mountinfo.ts";
import { NSPIN } from "./nspin.ts";

export type Kind = "plain" | "link" | "dangling";

/** What takes the pinned sequence's steps: nspin itself, or a launcher that it has baked. */
export type Entry = "run" | "launcher";
export const entries: readonly Entry[] = ["run", "launcher"];

/** Places of stages that have ended. Used again, since a launcher that was baked for one names it. */
const idle: string[] = [];
const launchers = new Map<string, string>();

function launcher(options: readonly string[]): string {
  const key = options.join(" ");
  const baked = launchers.get(key);
  if (baked !== undefined) return baked;
  const file = `${mkdtempSync("/tmp/nspin-launcher-")}/launcher`;
  const { exitCode, stderr } = Bun.spawnSync([NSPIN, "bake", ...options, "-o", file]);
  if (exitCode !== 0) throw new Error(`${stderr}`);
  launchers.set(key, file);
  return file;
}

/** A tmpfs, shared, with etc/resolv.conf in it as systemd-resolved or a person makes it; and the task's file. */
export class Stage {
  readonly root = idle.pop() ?? mkdtempSync("/tmp/nspin-stage-");
  readonly holder = `${this.root}/host`;
  readonly file = `${this.holder}/etc/resolv.conf`;
  readonly target: string;
  readonly source = `${this.root}/task.conf`;
  readonly before: string;

  static async make(kind: Kind, entry: Entry = "run"): Promise<Stage> {
    const stage = new Stage(kind, entry);
    await $`mount -t tmpfs --make-shared stage ${stage.holder}`.quiet();
    mkdirSync(`${stage.holder}/etc`);
    if (kind === "plain") writeFileSync(stage.file, "host\n");
    else symlinkSync(stage.target, stage.file);
    if (kind === "link") writeFileSync(stage.target, "host\n");
    (stage as { before: string }).before = mountinfo();
    return stage;
  }

  private constructor(
    kind: Kind,
    readonly entry: Entry,
  ) {
    mkdirSync(this.holder);
    this.target = kind === "plain" ? this.file : `${this.root}/resolved.conf`;
    writeFileSync(this.source, "task\n");
    this.before = "";
  }

  async end(): Promise<void> {
    // Not -R: umount(8) follows a mount point that is a symbolic link, and ends there.
    const mounted = this.mounts();
    const points = [this.target, `${this.root}/other`, this.holder].filter((point) =>
      mounted.includes(point),
    );
    if (points.length > 0) await $`umount -l ${points}`.quiet().nothrow();
    rmSync(this.root, { recursive: true, force: true });
    mkdirSync(this.root);
    idle.push(this.root);
  }

  /** The words that start, with these options, the program that follows. */
  command(...options: string[]): string[] {
    return this.entry === "run" ? [NSPIN, "run", ...options, "--"] : [launcher(options)];
  }

  /** The same where the task's file covers the host's, by this method ("auto --no-keep"), with more options. */
  covering(method: string, ...more: string[]): string[] {
    return this.command("--method", ...method.split(" "), ...more, "--bind", `${this.source}:${this.file}`);
  }

  /** Where the mounts of this stage are, as a process sees them. */
  mounts(table = mountinfo()): string[] {
    const points = table.split("\n").map((line) => line.split(" ")[4] ?? "");
    return points.filter((point) => point.startsWith(`${this.root}/`)).sort();
  }
}
