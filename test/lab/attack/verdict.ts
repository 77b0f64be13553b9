/** The verdict on a trial: the promises that were broken. */
import { quantile } from "../../support/quantile.ts";
import {
  type BystanderName,
  CERTAIN,
  type Limit,
  MIB,
  PROMISES,
} from "./attack.ts";
import type { Trial } from "./trial.ts";
import { type Sights, VISITORS } from "./visitors.ts";

/** The number of visits below which nothing can be said. */
const MIN_VISITS = 5;

/** The broken promises, one in a few words each; empty if all were kept. */
export function brokenPromises(
  trial: Trial,
  { limitBytes, limit, spares = [], isShort = false }: {
    readonly limitBytes: number;
    readonly spares?: readonly BystanderName[] | undefined;
    readonly limit?: Limit | undefined;
    /** Whether only what is certain is judged. */
    readonly isShort?: boolean;
  },
): string[] {
  const { medianMs, p99Ms, drainMs, areAnswered } = {
    ...PROMISES,
    ...appliesTo(trial, limit) && limit?.promises,
    ...isShort && CERTAIN,
  };
  if (trial.isKilled) {
    return [`killed above ${Math.round(limitBytes / MIB)} MiB`];
  }
  const broken = [...trial.gains];
  for (const name of VISITORS) {
    const { latenciesMs } = trial.sights[name];
    const [median, p99] = [0.5, 0.99].map((share) =>
      quantile(latenciesMs, share)
    );
    if (areAnswered && latenciesMs.length < MIN_VISITS) {
      broken.push(`${name}: no answers`);
    } else if (!(median !== undefined && median <= medianMs)) {
      broken.push(`${name}: median ${median?.toFixed(0)} ms`);
    } else if (!(p99 !== undefined && p99 <= p99Ms)) {
      broken.push(`${name}: p99 ${p99?.toFixed(0)} ms`);
    }
  }
  broken.push(
    ...areAnswered ? wrongOutcomes(trial.sights) : [],
    ...wrongOutcomes(trial.aftermath).map((wrong) => `afterwards ${wrong}`),
  );
  for (const name of spares) {
    const { lost = 0 } = trial.losses?.[name] ?? {};
    if (lost > 0) broken.push(`${name}: ${lost} lost`);
  }
  if (trial.peakBytes > limitBytes) {
    broken.push(`${Math.round(trial.peakBytes / MIB)} MiB of memory`);
  }
  if (!(trial.drainMs <= drainMs)) {
    broken.push(`drain begins after ${trial.drainMs.toFixed(0)} ms`);
  }
  if (trial.exitCode !== 0) {
    broken.push(
      trial.exitCode === undefined
        ? "it does not exit"
        : `exit code ${trial.exitCode}`,
    );
  }
  return [
    ...broken,
    ...trial.complaints.map((line) => `it complains: ${line.slice(0, 200)}`),
  ];
}

/** Whether a limit is one of what the trial went over. */
function appliesTo({ scheme }: Trial, limit: Limit | undefined): boolean {
  return limit !== undefined && (limit.over ?? scheme) === scheme;
}

function wrongOutcomes(sights: Sights): string[] {
  return VISITORS.flatMap((name) =>
    Object.entries(sights[name].wrong)
      .map(([outcome, count]) => `${name}: ${count} × ${outcome}`)
  );
}
