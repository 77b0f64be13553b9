/** The format of `WORKERS`, and the number of workers it stands for. */
import { z } from "zod";
import { integer } from "./formats.ts";
import type { Format } from "./read_settings.ts";

/** The number of worker threads; `auto` for one per core of the machine. */
export type WorkerCount = number | "auto";

const MAX_WORKERS = 64;

/** The format of `WORKERS`. */
export function workerCount(): Format<WorkerCount> {
  const number = integer({ min: 1, max: MAX_WORKERS });
  return {
    allowed: `auto or ${number.allowed}`,
    schema: z.literal("auto").or(number.schema),
  };
}

/** The number of workers on a machine with `cores` cores. */
export function workersOn(cores: number, count: WorkerCount): number {
  return count === "auto" ? Math.min(cores, MAX_WORKERS) : count;
}
