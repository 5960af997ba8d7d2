// The host that the tasks are on: its own DNS servers, what it resolves by, and
// how that changes.
import { lstatSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountTable } from "../kit/mountinfo.ts";
import { until } from "../kit/until.ts";
import { DnsServer } from "./dns.ts";

export type Kind = "resolved" | "plain";

const INTERFACE = "ens5";
const DROP_IN = "/run/systemd/system/containerd.service.d";
const NAME = "host.test";
const FILE = "/etc/resolv.conf";
const SERVERS = [
  { address: "10.0.0.2", answer: "192.0.2.1" },
  { address: "10.0.0.3", answer: "192.0.2.2" },
] as const;

export class Host {
  readonly #servers: DnsServer[] = [];
  #kind: Kind = "resolved";

  static async make(): Promise<Host> {
    const host = new Host();
    await $`sh /nspin/test/kit/install.sh`; // docs/soci.md wants the units that make a namespace
    await $`ip link add ${INTERFACE} type veth peer name peer && ip link set peer up && ip link set ${INTERFACE} up`;
    for (const { address, answer } of SERVERS) {
      await $`ip address add ${address}/24 dev ${INTERFACE}`;
      // Every name has an answer here: a task's lookup that strays is wrong, and is seen.
      host.#servers.push(await DnsServer.start([], address, [`#/${answer}`], `/run/host-${address}.log`));
    }
    // Restarted more often here than systemd takes for sane.
    await $`mkdir -p ${DROP_IN} && printf '[Unit]\nStartLimitIntervalSec=0\n' > ${DROP_IN}/often.conf`;
    await $`systemctl daemon-reload && systemctl start containerd`;
    return host;
  }

  /** As Amazon Linux 2023 has it, a link to systemd-resolved's file with the servers themselves; or a plain file. */
  async become(kind: Kind): Promise<void> {
    this.#kind = kind;
    await $`systemctl stop systemd-resolved && rm -f ${FILE}`;
    if (kind === "resolved") {
      await $`ln -s ../run/systemd/resolve/resolv.conf ${FILE} && systemctl start systemd-resolved`;
    }
    await this.#resolveBy(SERVERS[0].address);
    await until(async () => (await this.answer()) === SERVERS[0].answer);
  }

  /** The host's DNS server changes. Does the host follow? */
  async changeDns(): Promise<"done" | "refused"> {
    await this.#resolveBy(SERVERS[1].address);
    return await until(async () => (await this.answer()) === SERVERS[1].answer, 5000).then(
      () => "done" as const,
      () => "refused" as const,
    );
  }

  /** Writes the file anew, with another domain in it. */
  async rewrite(domain: string): Promise<void> {
    await this.#resolveBy(SERVERS[1].address, domain);
    await until(async () => readFileSync(FILE, "utf8").includes(`search ${domain}\n`));
  }

  async #resolveBy(address: string, domain = "host.test"): Promise<void> {
    if (this.#kind === "plain") writeFileSync(FILE, `nameserver ${address}\nsearch ${domain}\n`);
    else await $`resolvectl dns ${INTERFACE} ${address} && resolvectl domain ${INTERFACE} ${domain}`;
  }

  async answer(): Promise<string | undefined> {
    return (await $`getent ahostsv4 ${NAME}.`.nothrow().quiet().text()).split(" ")[0];
  }

  /** What nothing but a change of the host's own may alter. */
  async resolver() {
    return {
      link: lstatSync(FILE).ino,
      file: statSync(FILE).ino,
      content: readFileSync(FILE, "utf8"),
      answer: await this.answer(),
    };
  }

  /** The names that the host's DNS servers were asked for. */
  asked(): string[] {
    return this.#servers.flatMap((server) => server.asked().map(({ name }) => name));
  }

  /** Takes away what the published sequence leaves, which nspin unpin does not know. */
  async unmount(): Promise<void> {
    const file = realpathSync(FILE);
    while ((await $`umount ${file}`.nothrow().quiet()).exitCode === 0);
  }

  /** The mount table: where, of what, with which options and peers. Without the ids, which are new for each mount. */
  mounts(): string[] {
    return mountTable().map((line) => line.split(" ").slice(2).join(" "));
  }
}
