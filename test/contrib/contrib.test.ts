// contrib/: each file by its own checker, or the schema that its public documentation makes, and then
// for real, on a machine with systemd: nspin comes, works, and comes again where it is already.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Schema, Validator } from "@cfworker/json-schema";
import { $ } from "bun";
import { deb } from "../../build/deb.ts";
import { MACHINE } from "../../build/target.ts";
import { version } from "../../package.json";
import { Machine } from "../boot/machine.ts";
import { TASK_ANSWER } from "../kit/answers.ts";
import { until } from "../kit/until.ts";
import imageBuilder from "./image-builder.schema.json";
import ssm from "./ssm.schema.json";

const DIRECTORY = "dist/contrib";
/** The .deb, of what was built. */
let file: string;
let sha256: string;
let machine: Machine;

beforeAll(async () => {
  file = `${DIRECTORY}/${await deb("dist/nspin", MACHINE, DIRECTORY, version)}`;
  sha256 = new Bun.CryptoHasher("sha256").update(await Bun.file(file).bytes()).digest("hex");
  machine = await Machine.boot();
  // It has nspin by hand.
  await machine.run("rm -r /usr/local/bin/nspin /usr/lib/nspin /usr/local/lib/systemd");
}, 120_000);
afterAll(() => machine.remove());

/** What is wrong with it, in the schema's words. */
function faults(schema: Schema, document: unknown): string[] {
  const { errors } = new Validator(schema, "7", false).validate(document);
  return errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}

function read(path: string): { text: string; document: unknown } {
  const text = readFileSync(path, "utf8");
  return { text, document: Bun.YAML.parse(text) };
}

/** The text with its parameters' values; each is known. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{ *(\w+) *\}\}/g, (_, name: string) => {
    if (values[name] === undefined) throw new Error(`no parameter ${name}`);
    return values[name];
  });
}

/** A file of it, as both services make one: it is its own business to end where a command fails. */
const script = (shell: string, text: string) => `${shell} <<'END-OF-SCRIPT'\n${text}\nEND-OF-SCRIPT`;

/** Who has it by hand would go on with that. */
async function expectRefusedByHand(play: () => Promise<unknown>) {
  await machine.run("cp /bin/true /usr/local/bin/nspin");
  try {
    const says = /^(nspin: | *"msg": ")\/usr\/local\/bin\/nspin is taken in place of the package/m;
    expect(`${await play().catch(String)}`).toMatch(says);
  } finally {
    await machine.run("rm /usr/local/bin/nspin");
  }
}

async function expectInstalled() {
  expect(await machine.run("nspin --version")).toMatch(/^nspin \d/);
  await machine.run("systemctl cat nspin@a nspin-netns@a && ls /usr/lib/nspin/nspin-netns");
}

describe("EC2 Image Builder", () => {
  interface Component {
    parameters: Record<string, object>[];
    phases: { name: string; steps: Step[] }[];
  }
  type Step =
    | { action: "ExecuteBash"; name: string; inputs: { commands: string[] } }
    | { action: "S3Download"; name: string; inputs: { source: string; destination: string }[] };
  const { document } = read("contrib/image-builder/nspin.yml");
  const { parameters, phases } = document as Component;

  async function play(step: Step, values: Record<string, string>): Promise<void> {
    if (step.action === "S3Download")
      for (const { source, destination } of step.inputs)
        await machine.run(`cp ${fill(source, values)} ${destination}`);
    else await machine.run(script("bash", fill(step.inputs.commands.join("\n"), values)));
  }

  test("the component is what the documentation says of one", () => {
    expect(faults(imageBuilder as Schema, document)).toEqual([]);
    expect(phases.map(({ name }) => name)).toEqual(["build", "validate", "test"]);
    expect(parameters.flatMap((one) => Object.keys(one))).toEqual(["Source", "Sha256"]);
    expect(faults(imageBuilder as Schema, { ...(document as object), phase: [] })).not.toEqual([]);
  });

  test.each([1, 2])("build, validate and test, time %p", async () => {
    const values = { Source: `/nspin/${file}`, Sha256: sha256 };
    for (const { steps } of phases) for (const step of steps) await play(step, values);
    await expectInstalled();
  });

  test("where it is by hand too, that is said", async () => {
    const values = { Source: `/nspin/${file}`, Sha256: sha256 };
    await expectRefusedByHand(async () => {
      for (const step of phases[0]?.steps ?? []) await play(step, values);
    });
  });

  test("another file is refused", async () => {
    const [download, install] = (phases[0] as Component["phases"][0]).steps as [Step, Step];
    const values = { Source: "/etc/hostname", Sha256: sha256 };
    await play(download, values);
    await expect(play(install, values)).rejects.toThrow("FAILED");
  });

  test("an image whose nspin does not work fails", async () => {
    await machine.run("mv /usr/bin/nspin /run/nspin && ln -s /bin/false /usr/bin/nspin");
    const steps = phases.slice(1).flatMap((phase) => phase.steps);
    expect(steps.length).toBe(5);
    for (const step of steps) await expect(play(step, {})).rejects.toThrow();
    await machine.run("mv /run/nspin /usr/bin/nspin && ! ip netns list | grep nspin");
  });
});

describe("Systems Manager", () => {
  interface Command {
    parameters: Record<string, { allowedPattern: string }>;
    mainSteps: {
      action: string;
      inputs: { runCommand: string[]; destinationPath: string; sourceInfo: string };
    }[];
  }
  const { document } = read("contrib/ssm/nspin.yml");
  const { parameters, mainSteps } = document as Command;
  const allows = (name: string, value: string) =>
    new RegExp(parameters[name]?.allowedPattern as string).test(value);

  test("the document is what the documentation says of one", () => {
    expect(faults(ssm as Schema, document)).toEqual([]);
    expect(faults(ssm as Schema, { ...(document as object), steps: [] })).not.toEqual([]);
  });

  test("no parameter is more than one word of the shell, or of JSON", () => {
    const url = "https://bucket.s3.eu-central-1.amazonaws.com/nspin/nspin.tar.gz";
    expect(allows("Source", url)).toBe(true);
    expect(JSON.parse(fill(mainSteps[0]?.inputs.sourceInfo as string, { Source: url }))).toEqual({
      path: url,
    });
    for (const bad of [`${url}"`, `${url} `, `${url}\\`, "s3://bucket/key"])
      expect(allows("Source", bad)).toBe(false);
    expect(allows("Sha256", sha256)).toBe(true);
    for (const bad of [`${sha256}'`, `'; true`, ""]) expect(allows("Sha256", bad)).toBe(false);
  });

  test("what it runs", async () => {
    const [download, install] = mainSteps as [Command["mainSteps"][0], Command["mainSteps"][0]];
    await machine.write("/run/file", "the program's\n");
    const program = machine.start(["nspin", "run", "--bind", "/run/file:/etc/issue", "--"]);
    expect(await program.run("cat /etc/issue")).toBe("the program's");
    await machine.run(`install -D /nspin/${file} ${download.inputs.destinationPath}`);
    const runs = script("sh", fill(install.inputs.runCommand.join("\n"), { Sha256: sha256 }));
    await machine.run(runs);
    await expectInstalled();
    await expectRefusedByHand(async () => {
      await machine.run(`install -D /nspin/${file} ${download.inputs.destinationPath}`);
      await machine.run(runs);
    });
    await machine.run("cp /etc/issue /etc/issue.new && mv /etc/issue.new /etc/issue"); // its keeper covers again
    await until(async () => (await program.run("cat /etc/issue")) === "the program's");
    await machine.run("nspin check");
    expect(await program.end()).toBe(0);
    await machine.run(`cp /etc/hostname ${download.inputs.destinationPath}`);
    await expect(machine.run(runs)).rejects.toThrow("FAILED");
  });
});

describe("Packer", () => {
  const validate = (...more: string[]) =>
    $`packer validate ${more} -var package=${file} -var region=eu-central-1 contrib/packer/nspin.pkr.hcl`
      .env({ ...process.env, CHECKPOINT_DISABLE: "1" })
      .quiet()
      .nothrow();

  test("it finds the template valid", async () => {
    const { exitCode, stdout, stderr } = await validate("-var", `sha256=${sha256}`);
    expect([exitCode, `${stdout}${stderr}`]).toEqual([0, ""]);
    expect((await validate()).exitCode).not.toBe(0); // a variable has no value
  });

  test("what it runs", async () => {
    const provision = `SHA256=${sha256} sh /nspin/contrib/packer/provision.sh`;
    await machine.run(`dpkg --purge nspin; cp /nspin/${file} /tmp/nspin.package; ${provision}`);
    await expectInstalled();
    await expectRefusedByHand(() => machine.run(`cp /nspin/${file} /tmp/nspin.package; ${provision}`));
    await expect(machine.run(`cp /etc/hostname /tmp/nspin.package; ${provision}`)).rejects.toThrow("FAILED");
  });
});

describe("Prometheus", () => {
  const promtool = "dist/promtool/usr/bin/promtool";
  const rules = "contrib/prometheus/nspin.rules.yml";

  test("promtool finds the rules valid, and each of them alerts, and does not before", async () => {
    await $`${promtool} check rules ${rules} && ${promtool} test rules test/contrib/nspin.rules.test.yml`.quiet();
  });

  test("what they and docs/fleet.md ask for is what nspin check says", async () => {
    const program = machine.start(["nspin", "run", "--bind", "/etc/hostname:/etc/issue", "--"]);
    await program.run("");
    const metrics = await machine.run("nspin check --prometheus");
    expect(await program.end()).toBe(0);
    const text = [rules, "docs/fleet.md"].map((path) => readFileSync(path, "utf8")).join("");
    const asked = new Set(text.match(/\bnspin_[a-z]+(\{kind="[a-z-]+")?(?![a-z_])/g));
    expect([...asked].sort()).toContain('nspin_findings{kind="detached"');
    asked.delete("nspin_package"); // the role's
    for (const metric of asked) expect(metrics).toMatch(new RegExp(`^${metric}[{} ]`, "m"));
    for (const label of ["netns=", "program="])
      expect(metrics).toMatch(new RegExp(`^nspin_isolated\\{.*${label}`, "m"));
  });
});

describe("Ansible", () => {
  test("ansible-lint finds nothing, by its strictest profile", async () => {
    const { exitCode, stdout, stderr } =
      await $`ansible-lint --offline --nocolor --profile production contrib/ansible`.quiet().nothrow();
    expect([exitCode, `${stdout}`]).toEqual([0, ""]);
    expect(`${stderr}`).toContain("0 failure(s), 0 warning(s)");
  });

  const play = async (...more: string[]) => {
    const settings = {
      ANSIBLE_SSH_EXECUTABLE: "test/contrib/podman-ssh.sh",
      ANSIBLE_SSH_TRANSFER_METHOD: "piped",
      ANSIBLE_SSH_ARGS: "",
      ANSIBLE_PIPELINING: "1",
      ANSIBLE_PYTHON_INTERPRETER: "/usr/bin/python3",
      ANSIBLE_BECOME_ALLOW_SAME_USER: "false",
      ANSIBLE_NOCOLOR: "1",
    };
    const { exitCode, stdout } =
      await $`ansible-playbook --user root --inventory ${machine.name}, --extra-vars nspin_package=${resolve(file)} ${more} contrib/ansible/site.yml`
        .env({ ...process.env, ...settings })
        .quiet()
        .nothrow();
    return { exitCode, stdout: `${stdout}`, changed: /changed=(\d+)/.exec(`${stdout}`)?.[1] };
  };
  const isRunning = async (unit: string) =>
    (await machine.run(`systemctl show --value --property SubState ${unit}`)) === "running\n";

  beforeAll(async () => {
    await machine.run(`dpkg --purge nspin; cp -r /nspin/${DIRECTORY}/apt* /usr/lib/python3/dist-packages`);
    await machine.run("systemctl start dns eni");
    const app = "#!/bin/sh\ngetent ahostsv4 who.nspin.test >/run/app\nexec sleep infinity\n";
    await machine.write("/usr/local/bin/app", app, "755");
  });

  test("--check says what would be done, and does nothing", async () => {
    const { exitCode, changed, stdout } = await play("--check");
    // It installs nothing, and starts nothing.
    expect([exitCode, changed, stdout]).toEqual([0, "4", expect.stringContaining("skipped=4")]);
    expect((await machine.try("ls /usr/bin/nspin /etc/nspin")).status).toBe(2);
  });

  test("the program runs, in its namespace and with its resolver", async () => {
    const { exitCode, stdout } = await play();
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("failed=0")]);
    await expectInstalled();
    await until(() => isRunning("nspin@task1"));
    await until(async () => (await machine.run("cat /run/app")) !== "");
    expect((await machine.run("cat /run/app")).split(" ")[0]).toBe(TASK_ANSWER);
  });

  test("again, nothing is done", async () => {
    expect(await play()).toMatchObject({ exitCode: 0, changed: "0" });
    expect(await play("--check")).toMatchObject({ exitCode: 0, changed: "0" });
  });

  test("where it is by hand too, that is said", () => expectRefusedByHand(async () => (await play()).stdout));

  test("what has changed is started again", async () => {
    const before = await machine.run("systemctl show --value --property MainPID nspin@task1");
    const settings = {
      nspin_tasks: [
        {
          name: "task1",
          program: ["/usr/local/bin/app", 'a "b"\\ \n\u{1f600}\u007f'],
          options: { method: "rejoin" },
        },
      ],
    };
    expect(await play("--extra-vars", JSON.stringify(settings))).toMatchObject({ exitCode: 0, changed: "2" });
    await until(() => isRunning("nspin@task1"));
    expect(await machine.run("systemctl show --value --property MainPID nspin@task1")).not.toBe(before);
    expect(
      await machine.run(
        "tr '\\0' '|' </proc/$(systemctl show --value --property MainPID nspin@task1)/cmdline",
      ),
    ).toBe("sleep|infinity|");
  });

  test("a task without a name is refused", async () => {
    const settings = JSON.stringify({ nspin_tasks: [{ program: ["app"] }] });
    expect(await play("--check", "--extra-vars", settings)).toMatchObject({ exitCode: 2 });
  });
});
