// The main job on real input: `npm run demo`. In a mount namespace of its own.
import { $ } from "bun";
import { HOST_ANSWER, makeHost, NAME, TASK_ANSWER } from "./kit/answers.ts";
import { mountTable } from "./kit/mountinfo.ts";
import { NSPIN } from "./kit/nspin.ts";

const ID = "nspin-demo";
const end = await makeHost(ID);
const rows: Record<string, Record<string, string | number>> = {};
try {
  rows.before = await look();
  for (const mode of ["nsenter", "setns"]) {
    const script = `getent hosts ${NAME}; read line; getent hosts ${NAME}`;
    const command = [NSPIN, "run", "--netns", ID, "--enter", mode, "--", "sh", "-c", script];
    const program = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    const output = program.stdout.getReader();
    const first = new TextDecoder().decode((await output.read()).value);
    rows[`during (${mode})`] = await look(first);
    program.stdin.write("\n");
    await program.stdin.end();
    if ((await program.exited) !== 0) throw new Error(`the program ended with ${program.exitCode}`);
  }
  rows.after = await look();
} finally {
  await end();
}
console.log(`What ${NAME} is to the host, whose DNS server says ${HOST_ANSWER},`);
console.log(`and to a program in network namespace ${ID}, whose server says ${TASK_ANSWER}:`);
console.table(rows);
const wrong = Object.entries(rows).filter(
  ([when, { host, program }]) =>
    host !== HOST_ANSWER || program !== (when.startsWith("during") ? TASK_ANSWER : "-"),
);
if (wrong.length > 0) throw new Error(`wrong: ${wrong.map(([when]) => when).join(", ")}`);
process.exit(0);

async function look(program = "-") {
  const host = await $`getent hosts ${NAME}`.text();
  return {
    host: host.split(" ")[0] ?? "",
    program: program.split(" ")[0] ?? "",
    "host's mounts": mountTable().length,
  };
}
