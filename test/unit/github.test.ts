// What GitHub reads: the workflow runs what .ci/run does, and the issue templates ask for what there is.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { validateWorkflow } from "@action-validator/core";
import { doctor } from "../../src/commands/doctor.ts";

const read = (file: string) => readFileSync(`.github/${file}`, "utf8");

test("the workflow is valid, and runs .ci/run", () => {
  const workflow = read("workflows/ci.yml");
  expect(validateWorkflow(workflow).errors).toEqual([]);
  expect(validateWorkflow(workflow.replace("runs-on", "run-on")).errors).not.toEqual([]);
  const { jobs } = Bun.YAML.parse(workflow) as { jobs: { test: { steps: { run?: string }[]; env: object } } };
  expect(jobs.test.steps.at(-1)?.run).toBe(".ci/run");
  expect(jobs.test.env).toEqual({ CI: "true" });
});

interface Form {
  name: string;
  description: string;
  body: { type: string; id?: string; attributes: { label?: string; value?: string } }[];
}

test.each(["bug", "wish"])("%s.yml is a form", (file) => {
  const { name, description, body } = Bun.YAML.parse(read(`ISSUE_TEMPLATE/${file}.yml`)) as Form;
  expect([name, description]).not.toContain(undefined);
  for (const { type, id, attributes } of body) {
    expect(["markdown", "textarea", "input"]).toContain(type);
    const [key, text] = type === "markdown" ? [undefined, attributes.value] : [id, attributes.label];
    expect([type === "markdown", text]).toEqual([key === undefined, expect.any(String)]);
  }
  expect(body.map(({ attributes }) => attributes.label)).toContain("nspin doctor --json");
  expect(Object.hasOwn(doctor.args, "json")).toBeTrue();
});
