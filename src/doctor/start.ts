// The programs that doctor asks.
import { cannotStart } from "../self.ts";

const PATIENCE = 10_000; // milliseconds

interface Started {
  /** Its first line on stderr, or what became of it; undefined: it has ended with 0. */
  readonly failed: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export function start(command: readonly [string, ...string[]]): Started {
  try {
    const child = Bun.spawnSync([...command], { stdin: "ignore", timeout: PATIENCE, killSignal: "SIGKILL" });
    const [stdout, stderr] = [child.stdout.toString(), child.stderr.toString()];
    if (child.exitCode === 0) return { failed: undefined, stdout, stderr };
    const became = child.exitedDueToTimeout
      ? `it has not ended after ${PATIENCE / 1000} s`
      : `${child.signalCode ?? `exit status ${child.exitCode}`}`;
    return { failed: stderr.trim().split("\n")[0] || became, stdout, stderr };
  } catch (error) {
    const { message, hint } = cannotStart(command, error);
    return { failed: message, stdout: "", stderr: hint === undefined ? "" : `nspin: hint: ${hint}` };
  }
}
