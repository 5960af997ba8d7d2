// A machine that can be rebooted: Debian with systemd as PID 1, its own DNS server,
// and docs/cloud-init.md's ENI, at whose other end is a VPC with another. Commands run in
// it; the test stays outside.
import { basename } from "node:path";
import { $ } from "bun";
import { HOST_ANSWER, TASK_ANSWER } from "../kit/answers.ts";
import { Program } from "../kit/program.ts";
import { Terminal } from "../kit/terminal.ts";

export const DNSMASQ = [
  ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"],
  ...["--bind-interfaces", "--user=root", "--pid-file=", "--filter-AAAA"],
].join(" ");

/** Every name has an answer on either side: which one it is says whose server was asked. */
const DNS = `[Unit]
Before=systemd-resolved.service
DefaultDependencies=no

[Service]
ExecStartPre=ip link add ens5 type veth peer name peer5
ExecStartPre=ip link set peer5 up
ExecStartPre=ip address add 10.0.0.2/24 dev ens5
ExecStartPre=ip link set ens5 up
ExecStart=${DNSMASQ} --listen-address=10.0.0.2 --address=/#/${HOST_ANSWER}

[Install]
WantedBy=sysinit.target
`;

const ENI = `[Service]
ExecStartPre=ip netns add vpc
ExecStartPre=ip link add ens6 type veth peer name peer6 netns vpc
ExecStartPre=ip -n vpc address add 10.1.0.1/24 dev peer6
ExecStartPre=ip -n vpc address add 10.1.0.2/24 dev peer6
ExecStartPre=ip -n vpc link set peer6 up
ExecStart=ip netns exec vpc ${DNSMASQ} --listen-address=10.1.0.2 --address=/#/${TASK_ANSWER}
ExecStopPost=ip netns delete vpc

[Install]
WantedBy=multi-user.target
`;

export class Machine {
  readonly #end: ReturnType<typeof Machine.endWith>;

  /** As dist/ROOT has it. */
  static async bare(root: string): Promise<Machine> {
    const machine = new Machine(`nspin-${basename(root)}-${process.pid}`, root);
    await machine.#boot();
    return machine;
  }

  static async boot(): Promise<Machine> {
    const machine = await Machine.bare("e2e/root");
    await machine.run("sh /nspin/test/kit/install.sh && systemctl daemon-reload");
    await machine.write("/etc/systemd/system/dns.service", DNS);
    await machine.write("/etc/systemd/system/eni.service", ENI);
    await machine.write("/etc/systemd/resolved.conf.d/dns.conf", "[Resolve]\nDNS=10.0.0.2\nDomains=~.\n");
    await machine.run("systemctl enable dns eni");
    return machine;
  }

  private constructor(
    /** Podman's. */
    readonly name: string,
    readonly root: string,
  ) {
    this.#end = Machine.endWith(name);
  }

  /** Takes the machine away when its standard input ends: with this process, however that ends. */
  private static endWith(name: string) {
    const script = `trap '' INT TERM; cat; podman rm --force --time 0 ${name}`;
    return Bun.spawn(["sh", "-c", script], { stdio: ["pipe", "ignore", "inherit"] });
  }

  /** What a shell prints there; throws where a command fails. */
  async run(commands: string): Promise<string> {
    const { status, stdout, stderr } = await this.try(commands);
    if (status !== 0) throw new Error(`${commands}: ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  async try(commands: string): Promise<{ status: number; stdout: string; stderr: string }> {
    const { exitCode, stdout, stderr } = await $`podman exec ${this.name} sh -eu -c ${commands}`
      .nothrow()
      .quiet();
    return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  /**
   * Its mount table, without the ids, which are new for each mount; without what systemd mounts anew at each
   * start of a service, and what is the whole kernel's (test/kit/mountinfo.ts).
   */
  async mounts(): Promise<string[]> {
    const cut = "cut -d ' ' -f 3- /proc/self/mountinfo | sed '/ .run.credentials./d; s/,nsdelegate//'";
    return (await this.run(cut)).trim().split("\n");
  }

  /** A program there, started by what stands before it. */
  start(command: readonly string[]): Program {
    return new Program(["podman", "exec", "--interactive", this.name, ...command]);
  }

  /** A user sits at it. */
  terminal(command: readonly string[]): Terminal {
    return new Terminal(["podman", "exec", "--interactive", "--tty", this.name, ...command]);
  }

  async write(path: string, content: string, mode = "644"): Promise<void> {
    const install = `install -D -m ${mode} /dev/stdin ${path}`;
    await $`podman exec --interactive ${this.name} ${install.split(" ")} < ${Buffer.from(content)}`;
  }

  /** As a shutdown and a start: what is in /etc and /var stays, what is in /run does not. */
  async reboot(): Promise<void> {
    await this.run("systemctl start --no-block reboot.target");
    await $`podman wait ${this.name}`.quiet();
    await this.#boot();
  }

  async #boot(): Promise<void> {
    await $`sh test/kit/debian-boot.sh ${this.name} ${this.root}`;
  }

  async remove(): Promise<void> {
    this.#end.stdin.end();
    await this.#end.exited;
  }
}
