// Every command's words: what its table does not have is refused, in nspin's own words.
import { describe, expect, test } from "bun:test";
import { $ } from "bun";
import { commands as lazy, runCommand } from "../../src/commands/index.ts";

const names = Object.keys(lazy);
const commands = new Map(
  await Promise.all(Object.entries(lazy).map(async ([name, load]) => [name, await load()] as const)),
);

/** What is asked of every command follows the one word that bundle wants first. */
const ask = (name: string, ...words: string[]) =>
  runCommand(name, name === "bundle" ? ["/dev/shm/none", ...words] : words);
const refusal = (message: string) => expect.objectContaining({ name: "Refusal", message });
/** Enough of the others that nothing but one option is wrong. */
const others = (name: string, option: string) => [
  ...(name === "bake" && option !== "output" ? ["-o", "x"] : []),
  ...(["run", "bake", "bundle"].includes(name) && option !== "bind" ? ["--bind=/a:/b"] : []),
  ...(["run", "bake", "bundle"].includes(name) ? ["p"] : []),
];

/** These are parts of other commands, and take no options. */
const parts = ["unpinned", "inside", "keep", "examine", "probe"];

describe.each(names.filter((name) => !parts.includes(name)))("%s", (name) => {
  test.each([
    ...["-undefined", "-null", "-x", "-vx", "-oX", "-1", "--undefined"],
    ...["--constructor", "--__proto__", "--toString", "--hasOwnProperty", "--valueOf"],
    ...["--no-no-etc", "--no-", "--no-constructor", "--no-bind", "--Netns", "--net", "--file", "---"],
  ])("has no option %s", async (option) => {
    const error = refusal(`unknown option ${JSON.stringify(option)}`);
    await expect(ask(name, option, "x")).rejects.toEqual(error);
    await expect(ask(name, `${option}=x`)).rejects.toEqual(error);
  });

  for (const [option, { type, valueHint }] of Object.entries(commands.get(name)?.args ?? {})) {
    if (type === "positional") continue;
    if (type === "boolean" && valueHint !== undefined) {
      // What it can be is looked at where it is used: wait.test.ts.
    } else if (type === "boolean") {
      test.each([`--${option}=`, `--${option}=true`])("%s has a value", async (word) => {
        await expect(ask(name, word)).rejects.toEqual(refusal(`option --${option} takes no value`));
      });
    } else {
      test(`--${option} without its value`, async () => {
        await expect(ask(name, `--${option}`)).rejects.toEqual(refusal(`option --${option} needs a value`));
      });
      if (option !== "netns") {
        // Of netns makePlan says it, and not of this option by its name: plan.test.ts.
        test(`--${option} with an empty value`, async () => {
          const message = expect.stringMatching(
            option === "output" ? /^no launcher / : new RegExp(`^option --${option} `),
          );
          const asked = ask(name, `--${option}=`, ...others(name, option));
          await expect(asked).rejects.toMatchObject({ name: "Refusal", message });
        });
      }
    }
    if (["bind", "share", "env"].includes(option)) continue;
    test(`--${option} twice`, async () => {
      const words = type === "boolean" ? [`--${option}`, `--${option}`] : [`--${option}=1`, `--${option}=1`];
      const asked = ask(name, ...words, ...others(name, option));
      await expect(asked).rejects.toEqual(refusal(`option --${option} is given more than once`));
    });
  }

  test.each(["--help", "-h"])("%s among its options asks for its help", async (help) => {
    const [flag] =
      Object.entries(commands.get(name)?.args ?? {}).find(([, { type }]) => type === "boolean") ?? [];
    const asked = ask(name, ...(flag === undefined ? [] : [`--${flag}`]), help, "--undefined");
    if (flag !== undefined || name === "bundle")
      await expect(asked).rejects.toMatchObject({ name: "HelpAsked" });
    else expect(await asked).toBe(0);
  });
});

describe("the end of a command that has thrown", () => {
  const quietly = async (error: unknown, name?: string) => {
    const { exitCode, stdout, stderr } = await $`bun -e ${`
      const { end } = await import("./src/commands/index.ts");
      const error = Object.assign(new Error("no"), ${JSON.stringify(error)});
      process.exit(await end(error, ${JSON.stringify(name)}));
    `}`
      .nothrow()
      .quiet();
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  test("its help, where that was asked for", async () => {
    const { exitCode, stdout, stderr } = await quietly({ name: "HelpAsked" }, "check");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toStartWith("Usage: nspin check ");
  });
  test("else what it has thrown, with its status and hint", async () => {
    const error = { name: "Refusal", hint: "do", status: 124 };
    expect(await quietly(error, "check")).toEqual({
      exitCode: 124,
      stdout: "",
      stderr: "nspin: no\nnspin: hint: do\n",
    });
  });
});

test.each(["--help", "-h", "--version", "-V"])("nspin %s stands alone", async (option) => {
  await expect(runCommand(option, ["x"])).rejects.toEqual(refusal(`option ${option} takes no argument "x"`));
  await expect(runCommand(option, ["-x"])).rejects.toEqual(refusal('unknown option "-x"'));
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "helps", "", "Run", "run "])(
  "%p is no command",
  async (name) => {
    const message = `unknown command ${JSON.stringify(name)}`;
    await expect(runCommand(name, [])).rejects.toEqual(refusal(message));
    await expect(runCommand(name, ["--help"])).rejects.toEqual(refusal(message));
  },
);

test.each(["-undefined", "--constructor", "-v", "--netns=a", "-"])("nspin has no option %s", async (name) => {
  await expect(runCommand(name, [])).rejects.toEqual(refusal(`unknown option ${JSON.stringify(name)}`));
});

test.each([
  ["unpin", ["a"], "unpin takes one absolute path"],
  ["unpin", ["/a", "/b"], "unpin takes one absolute path"],
  ["unpin", ["--", "-x"], "unpin takes one absolute path"],
  ["inspect", [], "inspect takes one FILE"],
  ["inspect", ["a", "--json"], "inspect takes one FILE"],
  ["inspect", [""], "inspect takes one FILE"],
  ["inspect", ["/dev/zero"], "cannot read /dev/zero: it is no launcher of nspin"],
  ["inspect", ["/etc"], "cannot read /etc: Is a directory (EISDIR)"],
  ["selftest", ["--", "x"], 'selftest takes no argument "x"'],
  ["bundle", [], "bundle takes DIR first"],
  ["bundle", ["--constructor", "/d"], "bundle takes DIR first"],
  ["bake", ["--bind=/a:/b", "-o", "x", "--arch=mips"], 'option --arch needs x64 or arm64, not "mips"'],
  ["check", ["--json", "--prometheus"], "option --json and --prometheus are two forms: give one"],
  ["ps", ["a"], 'ps takes no argument "a"'],
  ["doctor", ["a"], 'doctor takes no argument "a"'],
  ["inside", ["a"], "inside takes no argument"],
  ["examine", ["a"], "examine takes no argument"],
  ["keep", ["a"], "keep takes no argument"],
  ["unpinned", ["a", "b"], "unpinned takes HELLO WORLD COPY"],
])("%s %p is refused", async (name, words, message) => {
  await expect(runCommand(name, words)).rejects.toEqual(refusal(message));
});
