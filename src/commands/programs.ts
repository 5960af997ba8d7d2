// Which programs a command is about, by its words; and what it says of them.
import { quote, Refusal } from "../errors.ts";
import { LOOKS, PAUSE, type Program, takeInventory } from "../observe/inventory.ts";
import { namespaceOf } from "../observe/processes.ts";
import { printable } from "../print.ts";

/**
 * A process of it, or the network namespace that it is in, or was started in; without words all. That there is none
 * is said after as many looks as for a finding. Throws Refusal.
 */
export async function select(words: readonly string[], isThorough: boolean): Promise<readonly Program[]> {
  for (let looks = 1; ; looks++) {
    const { programs, hidden } = await takeInventory(isThorough);
    if (words.length === 0 && hidden !== undefined) throw refuseHidden(hidden);
    if (words.length === 0) return programs;
    const missed = words.find((word) => selectBy(programs, word).length === 0);
    if (missed === undefined) {
      const selected = new Set(words.flatMap((word) => selectBy(programs, word)));
      return programs.filter((program) => selected.has(program));
    }
    if (hidden !== undefined || looks === LOOKS) throw refuseMissed(missed, hidden);
    await Bun.sleep(PAUSE);
  }
}

/** PID or NETNS; also as `run --netns` has them, and net:[INODE] as `ps` shows it. */
function selectBy(programs: readonly Program[], word: string): readonly Program[] {
  const pid = pidOf(word);
  const found = pid === undefined ? [] : byProcess(programs, pid);
  if (found.length > 0) return found;
  const name = word.replace(/^(?:\/var)?\/run\/netns\//, "");
  return programs.filter(({ netns, netnsName, plannedNetns }) =>
    [`net:[${netns}]`, netnsName, plannedNetns].includes(name),
  );
}

/** Of 4711, or pid:4711. */
export function pidOf(word: string): number | undefined {
  const [, digits] = /^(?:pid:)?([1-9]\d{0,9})$/.exec(word) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function refuseMissed(word: string, hidden: string | undefined): Refusal {
  const pid = pidOf(word);
  const mounts = pid === undefined ? undefined : namespaceOf(pid, "mnt");
  if (mounts === "hidden") return refuseHidden(`process ${pid}`);
  if (mounts === undefined && hidden !== undefined) return refuseHidden(hidden);
  return new Refusal(
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

/** Without root not all can be found. */
function refuseHidden(hidden: string): Refusal {
  // Of programs of his own nobody but root, of a user namespace for one, can enter the mount namespaces.
  const others = process.getuid?.() === 0 ? "; or name programs of your own" : "";
  return new Refusal(
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
