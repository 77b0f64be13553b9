/** All attacks, in the order in which they are run. */
import type { Scheme } from "../../support/dial.ts";
import type { Attack } from "./attack.ts";
import { credentials } from "./attacks/credentials.ts";
import { http2 } from "./attacks/http2.ts";
import { login } from "./attacks/login.ts";
import { memory } from "./attacks/memory.ts";
import { ownPages } from "./attacks/own_pages.ts";
import { pages } from "./attacks/pages.ts";
import { requests } from "./attacks/requests.ts";
import { sessions } from "./attacks/sessions.ts";
import { slowHolders } from "./attacks/slow_holders.ts";
import { storms } from "./attacks/storms.ts";
import { streamFloods } from "./attacks/stream_floods.ts";
import { untakenAnswers } from "./attacks/untaken.ts";
import { untakenPings } from "./attacks/untaken_pings.ts";
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
export const ATTACKS: readonly Attack[] = [
  nobody,
  ...websocketFloods,
  ...streamFloods,
  ...memory,
  ...storms,
  ...slowHolders,
  ...ownPages,
  ...http2,
  ...untakenAnswers,
  untakenPings,
  ...login,
  ...credentials,
  ...sessions,
  ...requests,
  ...pages,
];

/** The attacks that a run asks for, each with what it goes over. */
export function selectAttacks(
  { only, short: isShort, schemes }: Pick<
    Options,
    "only" | "short" | "schemes"
  >,
): readonly (readonly [Attack, Scheme])[] {
  return ATTACKS.flatMap((attack) => {
    const { name, only: onlyOver, short } = attack;
    if (only?.some((wanted) => isNamed(name, wanted)) === false) return [];
    return schemes.filter((scheme) =>
      (onlyOver ?? scheme) === scheme && (!isShort || short === scheme)
    ).map((scheme) => [attack, scheme] as const);
  });
}
