/** How `WORKERS` is written, and what it comes to. */
import { z } from "zod";
import { integer } from "../lib/formats.ts";
import type { Format } from "../lib/settings.ts";

/** How many threads serve; `auto` is one for each core of the machine. */
export type WorkerCount = number | "auto";

const MAX_WORKERS = 64;

/** How `WORKERS` is written. */
export function workerCount(): Format<WorkerCount> {
  const number = integer({ min: 1, max: MAX_WORKERS });
  return {
    allowed: `auto or ${number.allowed}`,
    schema: z.literal("auto").or(number.schema),
  };
}

/** The number of workers on a machine with so many cores. */
export function workersOn(cores: number, count: WorkerCount): number {
  return count === "auto" ? Math.min(cores, MAX_WORKERS) : count;
}
