/** What restarts behind fronts have cost: in lines of text, in the table of README.md, and in a sentence of docs/reliability.md. */
import type { MachineDescription } from "../bench/machine.ts";
import { tableOn } from "../harness/results.ts";
import type { RestartFront } from "./restart_fronts.ts";

/** The kinds of visitors: of a page, with a form, of a download and a stream of 10 s, of a WebSocket. */
export type RestartKind = "get" | "post" | "download" | "events" | "tunnel";

/** What one kind of visitors saw: how many visits there were, and the outcomes that were not right. */
export interface RestartSeen {
  readonly kind: RestartKind;
  readonly count: number;
  readonly wrong: Readonly<Record<string, number>>;
}

/** What two restarts behind a front came to. */
export interface RestartResult {
  readonly front: RestartFront;
  readonly seen: readonly RestartSeen[];
  /** How long each gateway took to stop, s. */
  readonly drainsSec: readonly number[];
}

/** How a WebSocket ends that is asked to come back (RFC 6455 section 7.4.1), which is no loss. */
const SENT_AWAY = "closed 1001";

/** What was lost of one kind, by outcome. */
function lostOf({ wrong }: RestartSeen): [string, number][] {
  return Object.entries(wrong).filter(([outcome]) => outcome !== SENT_AWAY);
}

/** True if nothing was lost. */
export function isLossless({ seen }: RestartResult): boolean {
  return seen.every((each) => lostOf(each).length === 0);
}

/** A result as lines of text. */
export function formatRestarts(result: RestartResult): string {
  const { front, seen, drainsSec } = result;
  return [
    `${front}: ${isLossless(result) ? "ok" : "LOST"}; drains of ${
      drainsSec.join(", ")
    } s`,
    ...seen.map((each) => `  ${each.kind}: ${cellOf(each)}`),
  ].join("\n");
}

function cellOf(seen: RestartSeen): string {
  const { [SENT_AWAY]: away = 0 } = seen.wrong;
  const lost = lostOf(seen).map(([outcome, count]) => `${count} × ${outcome}`);
  return [
    `${lost.length === 0 ? "0" : lost.join(", ")} of ${seen.count}`,
    ...away > 0 ? [`${away} × 1001`] : [],
  ].join("; ");
}

/** Where results are stored and shown. */
export const SHOWN_RESTARTS = {
  file: new URL("./restarts.jsonl", import.meta.url),
  page: new URL("./README.md", import.meta.url),
  region: "restarts",
  textOf: restartsText,
  summaryOf: restartsSummary,
};

/** What all restarts came to. */
export function restartsSummary(results: readonly RestartResult[]): string {
  const seen = results.flatMap((result) => result.seen);
  const visits = seen.reduce((sum, { count }) => sum + count, 0);
  const lost = seen.flatMap(lostOf).reduce((sum, [, count]) => sum + count, 0);
  const drains = results.flatMap(({ drainsSec }) => drainsSec);
  const fronts = results.map(({ front }) => front).join(", ");
  return `Behind ${fronts}, ${lost} of ${
    visits.toLocaleString("en-US")
  } GETs, POSTs, downloads, event streams and messages of WebSockets were lost (a WebSocket that is asked to come back by 1001 is not); a drain took ${
    Math.max(...drains)
  } s at most.`;
}

/** The text of the table's region. */
export function restartsText(
  machine: MachineDescription,
  results: readonly RestartResult[],
): string {
  const kinds = results[0]?.seen.map(({ kind }) => kind) ?? [];
  const rows = results.map(({ front, seen, drainsSec }) => [
    front,
    ...seen.map(cellOf),
    drainsSec.join(", "),
  ]);
  const head = ["Front", ...kinds, "A drain takes, s"];
  return tableOn(machine, [head, ...rows]);
}
