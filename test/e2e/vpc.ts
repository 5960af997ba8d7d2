// A VPC: a network with a DNS server, and a registry that only this server names.
// Every VPC has the same addresses, the same name for its registry, and in it the
// same name and tag for an image of its own.
import { $ } from "bun";
import { until } from "../kit/until.ts";
import { DnsServer } from "./dns.ts";
import type { Settings } from "./document.ts";
import { writeImage } from "./image.ts";

export const REGISTRY = "registry.vpc.test";
const IMAGE = `${REGISTRY}/app:1`;
const ADDRESS = { gateway: "10.1.0.1", dns: "10.1.0.2", registry: "10.1.0.3" };
const CERTIFICATE = "/usr/local/share/ca-certificates/vpc.crt";
const KEY = "/run/vpc.key";
/** Whatever ends so has one answer in each VPC. */
export const WHOSE = "whose.vpc.test";

export class Vpc {
  readonly task: string;
  readonly answer: string;
  /** What `sha256sum /bytes` says in a container of the image. */
  bytes = "";
  dns!: DnsServer;
  readonly #number: number;
  readonly #netns: string;
  readonly #eni: string;

  static async make(number: number): Promise<Vpc> {
    const vpc = new Vpc(number);
    const netns = vpc.#netns;
    await $`ip netns add ${netns} && ip -n ${netns} link add vpc type bridge`;
    for (const address of Object.values(ADDRESS)) await $`ip -n ${netns} address add ${address}/24 dev vpc`;
    await $`ip -n ${netns} link set vpc up && ip -n ${netns} link set lo up`;
    const within = ["ip", "netns", "exec", netns];
    const answers = [`${REGISTRY}/${ADDRESS.registry}`, `${WHOSE}/${vpc.answer}`];
    vpc.dns = await DnsServer.start(within, ADDRESS.dns, answers, `/run/${netns}-dns.log`);
    Bun.spawn([...within, "docker-registry", "serve", `${import.meta.dir}/registry.yml`], {
      stdio: ["ignore", "ignore", "ignore"],
      env: {
        ...process.env,
        REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: `/run/${netns}-registry`,
        REGISTRY_HTTP_ADDR: `${ADDRESS.registry}:443`,
        REGISTRY_HTTP_TLS_CERTIFICATE: CERTIFICATE,
        REGISTRY_HTTP_TLS_KEY: KEY,
      },
    }).unref();
    await vpc.#publish();
    return vpc;
  }

  private constructor(number: number) {
    this.#number = number;
    this.#netns = `vpc${number}`;
    this.#eni = `ens${5 + number}`;
    this.task = `task${number}`;
    this.answer = `10.1.0.10${number}`;
  }

  /** An ENI appears on the host: what docs/soci.md begins with. */
  async attach(nspin: string): Promise<Settings> {
    await $`ip link add ${this.#eni} type veth peer name ${this.#eni} netns ${this.#netns}`;
    await $`ip -n ${this.#netns} link set ${this.#eni} master vpc up`;
    return {
      TASK: this.task,
      ENI: this.#eni,
      ADDRESS: `10.1.0.1${this.#number}/24`,
      GATEWAY: ADDRESS.gateway,
      DNS: ADDRESS.dns,
      IMAGE,
      NSPIN: `nspin run --netns ${this.task} ${nspin} --`,
    };
  }

  /** It is back on the host, and goes. */
  async detach(): Promise<void> {
    await $`ip link delete ${this.#eni}`;
  }

  /** As a build machine in this VPC does it: the image and its SOCI index are in the registry then, and nowhere else. */
  async #publish(): Promise<void> {
    const file = `/run/${this.#netns}.tar`;
    this.bytes = await writeImage(file, IMAGE, this.task);
    const resolvConf = `/run/${this.#netns}-resolv.conf`;
    await Bun.write(resolvConf, `nameserver ${ADDRESS.dns}\n`);
    const name = `build-${this.#netns}`;
    const publish = `
      mount -t tmpfs store /var/lib/soci-snapshotter-grpc
      mount --bind ${resolvConf} /etc/resolv.conf
      ctr -n ${name} image import --no-unpack ${file}
      soci -n ${name} create --min-layer-size 0 ${IMAGE}
      ctr -n ${name} image push --local ${IMAGE}
      soci -n ${name} push ${IMAGE}
      ctr -n ${name} image remove --sync ${IMAGE}
      ctr namespace remove ${name}`;
    await $`mkdir -p /var/lib/soci-snapshotter-grpc`;
    const listening = () => $`ip netns exec ${this.#netns} ss --no-header --listening --tcp sport = :443`;
    await until(async () => (await listening().text()) !== "");
    await $`ip netns exec ${this.#netns} unshare --mount sh -eu -c ${publish} && rm ${file}`.quiet();
  }
}

/** One certificate, which the host trusts. */
export async function makeCertificate(): Promise<void> {
  const subject = ["-subj", `/CN=${REGISTRY}`, "-addext", `subjectAltName=DNS:${REGISTRY}`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", KEY];
  await $`openssl req -x509 -days 2 ${key} ${subject} -out ${CERTIFICATE} && update-ca-certificates`.quiet();
}
