// The method cases as TAP, on the console of a virtual machine.
import { cases } from "../method/cases.ts";
import { keeperCases } from "../method/keeper.ts";

const all = [...cases, ...keeperCases];
console.log(`TAP version 14\n1..${all.length}`);
let number = 0;
for (const { name, run } of all) {
  number++;
  try {
    await run();
    console.log(`ok ${number} - ${name}`);
  } catch (error) {
    const { message, stack = "" } = error as Error;
    console.log(`not ok ${number} - ${name}\n  ---`);
    console.log(`  message: ${JSON.stringify(message)}\n  stack: ${JSON.stringify(stack)}\n  ...`);
  }
}
