/** The messages between the supervisor and its workers. */
import type { Config } from "../../config/config.ts";
import type { StatusReport } from "../../observability/status/report.ts";
import type { Outcome } from "../exit.ts";
import type { EndSignal } from "../signals.ts";

/** The first message to a worker thread. */
export interface WorkerStart {
  /** Its number in logs, from 1. */
  readonly number: number;
  readonly version: string;
  readonly config: Config;
}

/** A message to a worker. */
export type ToWorker =
  | { readonly kind: "signal"; readonly signal: EndSignal }
  /** The last batch of log lines has been written: the worker may send the next one. */
  | { readonly kind: "written" }
  /** Requests the worker's metrics; `looks` says whether it is to look at its dependencies for the next time. */
  | { readonly kind: "render_metrics"; readonly looks: boolean }
  /** Requests the worker's part of the status page. */
  | { readonly kind: "report" };

/** A message from a worker. */
export type FromWorker =
  /** Whole lines of the log. */
  | { readonly kind: "lines"; readonly batch: Uint8Array }
  /** Answers a `render_metrics`, in the order of the requests, in Prometheus' text format. */
  | { readonly kind: "metrics"; readonly metrics: string }
  /** Answers a `report`, in the order of the requests. */
  | { readonly kind: "report"; readonly report: StatusReport }
  /** The last message. */
  | { readonly kind: "ended"; readonly outcome: Outcome };
