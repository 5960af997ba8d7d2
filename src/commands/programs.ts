// Which programs a command is about, by its words; and what it says of them.
import { quote } from "../arguments.ts";
import { Refusal } from "../errors.ts";
import type { Program } from "../observe/inventory.ts";
import { namespaceOf } from "../observe/processes.ts";
import { printable } from "../print.ts";

/** A process of it, or the network namespace that it is in, or was started in. Throws Refusal where there is none. */
export function select(programs: readonly Program[], words: readonly string[]): readonly Program[] {
  if (words.length === 0) return programs;
  const selected = new Set(words.flatMap((word) => selectBy(programs, word)));
  return programs.filter((program) => selected.has(program));
}

export function selectBy(programs: readonly Program[], word: string): readonly Program[] {
  const named = programs.filter(({ netnsName, plannedNetns }) => [netnsName, plannedNetns].includes(word));
  const found = /^[1-9]\d{0,9}$/.test(word) ? byProcess(programs, Number(word)) : [];
  if (found.length > 0) return found;
  if (named.length > 0) return named;
  throw new Refusal(
    `no program runs under nspin as process ${quote(word)} or in network namespace ${quote(word)}`,
    "'nspin ps' shows those that do",
  );
}

/** Also one that the program has started, and that sees what it sees. */
function byProcess(programs: readonly Program[], pid: number): readonly Program[] {
  const own = programs.filter(({ process }) => process.pid === pid);
  if (own.length > 0) return own;
  const mounts = namespaceOf(pid, "mnt");
  return programs.filter((program) => mounts !== undefined && program.mounts === mounts);
}

/** Without root not all can be found. Throws Refusal. */
export function refuseHidden(hidden: string | undefined, words: readonly string[]): void {
  if (hidden === undefined || words.length > 0) return;
  // Of programs of his own nobody but root, of a user namespace for one, can enter the mount namespaces.
  const others = process.getuid?.() === 0 ? "; or name programs of your own" : "";
  throw new Refusal(
    `cannot look at ${hidden}: Permission denied (EACCES)`,
    `run it as root, for example with sudo, and with CAP_SYS_PTRACE${others}`,
  );
}

/** One for each finding. */
export function toLines({ process, netnsName, plannedNetns, findings }: Program): string[] {
  const netns = netnsName ?? plannedNetns;
  const who = `${process.pid} ${process.name}${netns === undefined ? "" : ` (${netns})`}`;
  return findings.map(({ kind, what, remedy }) => printable(`${who}: ${kind}: ${what}; remedy: ${remedy}`));
}
