/** What the supervisor and its workers tell each other. */
import type { Config } from "../../config.ts";
import type { Outcome } from "../outcome.ts";
import type { EndSignal } from "../signals.ts";

/** What a worker is started with. */
export interface WorkerStart {
  /** Its number in logs, from 1. */
  readonly number: number;
  readonly version: string;
  readonly config: Config;
}

/** To a worker. */
export type ToWorker =
  | { readonly kind: "signal"; readonly signal: EndSignal }
  /** The batch that was sent last is out: the next one may come. */
  | { readonly kind: "written" }
  /** Asks for what it has counted. */
  | { readonly kind: "count" };

/** From a worker. */
export type FromWorker =
  /** Whole lines of the log. */
  | { readonly kind: "lines"; readonly batch: Uint8Array }
  /** Answers to `count`, in the order of the questions, in Prometheus' text format. */
  | { readonly kind: "counted"; readonly metrics: string }
  /** The last message. */
  | { readonly kind: "ended"; readonly outcome: Outcome };
