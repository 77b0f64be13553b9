/** What was seen, in the words of the table. */
import { FAULTS } from "./dev_server.ts";
import { SCHEMES } from "./gateways.ts";
import type { Fault } from "./matrix.ts";

/** The faults in the words of the table: "works", or what does not. */
export function inWords(faults: readonly Fault[] | undefined): string {
  if (faults === undefined) return "";
  if (faults.length === 0) return "works";
  return faults.map(({ what, schemes }) =>
    FAULTS[what] +
    (schemes.length < SCHEMES.length ? ` (${schemes.join()})` : "")
  ).join("; ");
}
