// Commands beside each other: in which order, what they print, how many passed.
import { availableParallelism } from "node:os";

interface Job {
  readonly title: string;
  readonly command: string[];
  /** Of those that wait, the one with the lowest goes first. */
  readonly rank: number;
}

/** One more than there are processors: there is always one that waits, for a daemon or until something has not happened. */
const AT_ONCE = availableParallelism() + 1;

export class Jobs {
  passed = 0;
  failed = 0;
  /** Of each job that failed, where they are many: its title, and what it said of that. */
  readonly failures: string[] = [];
  #free = AT_ONCE;
  readonly #waiting: { rank: number; begin: () => void }[] = [];

  /** isLive: what a job prints is passed on as it comes, and not whole when it has ended. */
  constructor(private readonly isLive: boolean) {}

  async one(job: Job): Promise<void> {
    const { ok, said } = await this.#run(job);
    if (ok) this.passed++;
    else this.#fail(job, 1, said);
  }

  /** A `bun test`, or what ends as that does: one that cannot start, or skips, or ends oddly, has failed. */
  async suite(job: Job): Promise<void> {
    const { ok, said, stderr } = await this.#run(job);
    const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(stderr)?.[1] ?? 0);
    const bad = count("fail") + count("skip") + count("todo");
    this.passed += count("pass");
    if (bad > 0 || !ok || count("pass") === 0) this.#fail(job, Math.max(bad, 1), said);
  }

  #fail({ title }: Job, tests: number, said: string): void {
    this.failed += tests;
    if (!this.isLive) this.failures.push(`--- ${title}, failed\n${aboutFailures(said)}`);
  }

  async #run({ title, command, rank }: Job) {
    await this.#turn(rank);
    const start = Date.now();
    const printed: Uint8Array[] = [];
    const print = (bytes: Uint8Array) => (this.isLive ? process.stdout.write(bytes) : printed.push(bytes));
    try {
      if (this.isLive) console.log(`--- ${title}`);
      const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
      const read = [passOn(child.stdout, print), passOn(child.stderr, print)] as const;
      const [, stderr, status] = await Promise.all([...read, child.exited]);
      if (!this.isLive) {
        console.log(`--- ${title}, ${((Date.now() - start) / 1000).toFixed()} s`);
        for (const bytes of printed) process.stdout.write(bytes);
      }
      return { stderr, said: Buffer.concat(printed).toString(), ok: status === 0 };
    } finally {
      const next = this.#waiting.shift();
      next === undefined ? this.#free++ : next.begin();
    }
  }

  /** Of the same rank who comes first goes first. */
  async #turn(rank: number): Promise<void> {
    if (this.#free > 0) this.#free--;
    else
      await new Promise<void>((begin) => {
        const before = this.#waiting.filter((other) => other.rank <= rank).length;
        this.#waiting.splice(before, 0, { rank, begin });
      });
  }
}

async function passOn(stream: ReadableStream<Uint8Array>, print: (bytes: Uint8Array) => unknown) {
  const decoder = new TextDecoder();
  let all = "";
  for await (const bytes of stream) {
    print(bytes);
    all += decoder.decode(bytes, { stream: true });
  }
  return all;
}

/** Of what a `bun test` or a TAP has printed: each failure with what stands before or below it; else how it ended. */
function aboutFailures(said: string): string {
  const MOST_LINES = 100;
  const parts = said.split(/^(?=ok |not ok )|(?<=^\((?:pass|fail)\).*\n)/m);
  const failures = parts.filter((part) => /^(\(fail\)|not ok )/m.test(part));
  const shown = failures.length > 0 ? failures : [said];
  return shown.map((part) => part.trimEnd().split("\n").slice(-MOST_LINES).join("\n")).join("\n");
}
