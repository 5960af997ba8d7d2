import { lines } from "./lines.ts";

export const LOOP = ["sh", "-c", 'while IFS= read -r line; do eval "$line" 2>&1; echo "--- $?"; done'];

/** A program that runs commands of the shell, one a line, and says what they print: LOOP, by this command. */
export class Program {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(command: readonly string[]) {
    this.#child = Bun.spawn([...command, ...LOOP], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#lines = lines(this.#child.stdout);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async run(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    this.#child.stdin.flush();
    const output: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`the program has ended, after ${JSON.stringify(line)}`);
      if (/^--- \d+$/.test(value)) return output.join("\n");
      output.push(value);
    }
  }

  async end(): Promise<number> {
    await this.#child.stdin.end();
    return await this.#child.exited;
  }
}
