// A DNS server that knows one answer to everything, or names of a domain, and
// writes down what it was asked.
import { readFileSync } from "node:fs";
import { until } from "../kit/until.ts";

export class DnsServer {
  readonly #log: string;

  /** answers: NAME/ADDRESS, for NAME and what ends in .NAME; "#" is every name. */
  static async start(prefix: string[], address: string, answers: string[], log: string): Promise<DnsServer> {
    const server = new DnsServer(log);
    const options = [
      "--conf-file=/dev/null",
      "--no-resolv",
      "--no-hosts",
      "--bind-interfaces",
      "--user=root",
    ];
    Bun.spawn(
      [
        ...[...prefix, "dnsmasq", "--keep-in-foreground", ...options, "--pid-file=", "--filter-AAAA"],
        ...[`--listen-address=${address}`, "--log-queries", `--log-facility=${log}`],
        ...answers.map((answer) => `--address=/${answer}`),
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    ).unref();
    await until(async () => readFileSync(log, "utf8").includes("started"));
    return server;
  }

  private constructor(log: string) {
    this.#log = log;
  }

  /** The names it was asked for, and by which address, since it started. */
  asked(): { name: string; by: string }[] {
    const queries = readFileSync(this.#log, "utf8").matchAll(/ query\[A+\] (\S+) from (\S+)$/gm);
    return [...queries].map(([, name, by]) => ({ name: name as string, by: by as string }));
  }
}
