/** Runs the parts of a stage side by side. */
import { nameOf, type Part, type Stage } from "./part.ts";

/** What came of a part. */
export interface Outcome {
  readonly part: Part;
  readonly passed: boolean;
  readonly seconds: number;
}

/** Runs a stage; `show` is called with each line that is worth reading. What a single part prints is shown as it comes. */
export async function runStage(
  stage: Stage,
  show: (text: string) => void,
): Promise<Outcome[]> {
  return await Promise.all(
    stage.map((part) => runPart(part, stage.length === 1, show)),
  );
}

async function runPart(
  part: Part,
  isAlone: boolean,
  show: (text: string) => void,
): Promise<Outcome> {
  const startedAt = performance.now();
  const command = new Deno.Command("deno", {
    args: ["task", "--quiet", ...part.task],
    env: { NO_COLOR: "1" },
    ...isAlone && { stdout: "inherit", stderr: "inherit" },
  });
  const { success, printed } = isAlone
    ? { ...await command.spawn().status, printed: "" }
    : await outputOf(command);
  const seconds = (performance.now() - startedAt) / 1000;
  if (!success) show(printed);
  show(
    `${success ? "ok" : "FAILED"}: ${nameOf(part)} (${seconds.toFixed(0)} s)`,
  );
  return { part, passed: success, seconds };
}

async function outputOf(
  command: Deno.Command,
): Promise<{ success: boolean; printed: string }> {
  const { success, stdout, stderr } = await command.output();
  const printed = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes)).join("");
  return { success, printed };
}
