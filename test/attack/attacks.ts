/** All attacks, in the order in which they are run. */
import type { Attack } from "./attack.ts";
import { websocketFloods } from "./attacks/websocket_floods.ts";
import { isNamed, type Options } from "./options.ts";

/** The control: what visitors see and the gateway takes when nobody attacks. */
const nobody: Attack = {
  name: "nobody",
  about: "nobody attacks: the control",
  run: ({ signal }) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
};

/** Every attack. */
export const ATTACKS: readonly Attack[] = [nobody, ...websocketFloods];

/** The attacks that a run asks for. */
export function selectAttacks(
  { only, short }: Pick<Options, "only" | "short">,
): readonly Attack[] {
  return ATTACKS.filter(({ name, isShort = false }) =>
    only !== undefined
      ? only.some((wanted) => isNamed(name, wanted))
      : isShort || !short
  );
}
