/** Attacks that are over with a few requests, each of which gains something or does not. */
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import { valuesOf } from "../../support/raw_client.ts";
import type { Attack, Stage } from "./attack.ts";

/** The ports of Daytona's own services. */
export const RESERVED = [22222, 2280, 33333];

/** What a browser sends when somebody follows a link. */
export const NAVIGATION = {
  "Accept": "text/html",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Site": "none",
};

/** An attack that returns what it has gained. */
export function attack(
  name: string,
  about: string,
  attempt: (stage: Stage) => Promise<readonly string[]>,
  more: Partial<Attack> = {},
): Attack {
  return { name, about, run: attempt, ...more };
}

/** The inputs for which `gained` is true. */
export async function gainsOf<Input>(
  inputs: readonly Input[],
  gained: (input: Input) => Promise<boolean>,
): Promise<string[]> {
  const gains: string[] = [];
  for (const input of inputs) {
    if (await gained(input)) gains.push(JSON.stringify(input));
  }
  return gains;
}

/** The status of a response, as it was received. */
export function statusOf(response: string): number {
  return Number(response.split(" ")[1]);
}

/** The value of the session cookie that a preview token in an address is exchanged for. */
export async function sessionOf(stage: Stage, host: string): Promise<string> {
  const { fields } = await stage.ask({
    host,
    path: `/status/200?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    headers: NAVIGATION,
  });
  const [cookie = ""] = valuesOf(fields, "set-cookie")
    .map((line) => line.split(";")[0] ?? "");
  if (cookie === "") throw new Error("There is no session");
  return cookie;
}

/** Asks for the private sandbox with its session, and says whether that was admitted. */
export async function isAdmitted(
  stage: Stage,
  host: string,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { status } = await stage.ask({ host, path: "/status/200", headers });
  return status === 200;
}
