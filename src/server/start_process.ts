/** A gateway process from its environment to its end. */
import { formatProblems, parseConfig, workersOn } from "../config/config.ts";
import { formatMisspelt, type Misspelling } from "../config/misspelt.ts";
import { StreamLineWriter } from "../observability/line_writer.ts";
import { loggerFor, startLogging } from "../observability/log.ts";
import { RecentTroubles } from "../observability/status/recent_troubles.ts";
import { EXIT_CODES, type Outcome } from "./exit.ts";
import { type CreateService, run } from "./run.ts";
import type { AddSignalListener } from "./signals.ts";
import { supervise } from "./workers/supervise.ts";

/** The parts of a process that its entry point provides. */
interface StartOptions {
  /** The variables that configure it, by name. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Variables that are set, and are none of those, but nearly. */
  readonly misspelt: readonly Misspelling[];
  readonly version: string;
  /** Where the log is written. */
  readonly output: WritableStream<Uint8Array>;
  /** Undefined if the platform listens, terminates TLS and stops the process: Deno Deploy. */
  readonly addSignalListener: AddSignalListener | undefined;
  /** URL of the module that a worker thread runs. */
  readonly workerEntry: string;
  readonly createService: CreateService;
}

/** Serves until a signal asks it to stop, by itself or by several worker threads; never rejects. */
export async function start(options: StartOptions): Promise<Outcome> {
  const { version, misspelt, addSignalListener, createService } = options;
  const result = parseConfig(options.env);
  if (!result.ok) {
    const reason = [formatProblems(result.problems), formatMisspelt(misspelt)]
      .filter((text) => text !== "").join("\n\n");
    return { code: EXIT_CODES.misconfigured, reason };
  }
  const { config } = result;
  const troubles = new RecentTroubles();
  const lines = new StreamLineWriter(options.output);
  const stopLogging = await startLogging(config.log, lines, [
    troubles.sink,
  ]);
  const workers = workersOn(navigator.hardwareConcurrency, config.workers);
  const log = loggerFor("server");
  for (const { name, meant } of misspelt) {
    log.warn("variable not known", { name, meant });
  }
  const common = { config, version, lines, troubles, log };
  const outcome = workers > 1 && addSignalListener !== undefined
    ? await supervise({
      ...common,
      addSignalListener,
      workers,
      entry: options.workerEntry,
    })
    : await run({ ...common, addSignalListener, createService });
  await stopLogging();
  return outcome;
}
