/** The last warnings, errors and failed requests of the log, kept for the status page. */
import type { LogRecord } from "@logtape/logtape";

/** Something that went wrong, maybe again and again. */
export interface Trouble {
  /** When it was logged last, ms since the epoch. */
  readonly at: number;
  readonly level: "info" | "warning" | "error";
  readonly message: string;
  /** How often it was logged, since it is remembered. */
  readonly count: number;
  /** The error code, if a request failed. */
  readonly code?: string;
  readonly reason?: string;
  readonly sandboxId?: string;
  readonly port?: number;
  /** Of the last time. */
  readonly requestId?: string;
}

/** What troubles have in common that are the same. */
function troubleKey(
  { message, code, sandboxId, port, reason }: Trouble,
): string {
  return [message, code, sandboxId, port, reason].join("\n");
}

/** What is logged at level info, but is a trouble of somebody's. */
const FAILURES: ReadonlySet<string> = new Set([
  "request failed",
  "response broke off",
  "tunnel broke off",
]);

/** Most troubles of each kind that are remembered: users' own must not crowd out the operator's. */
const MAX_TROUBLES = 20;

/** Longest reason, characters. */
const MAX_LENGTH = 300;

/** Remembers them; its `sink` is one of LogTape's. */
export class RecentTroubles {
  readonly #ofOperator = new Map<string, Trouble>();
  readonly #ofUsers = new Map<string, Trouble>();

  /** Takes a record of the log. */
  readonly sink = (record: LogRecord): void => {
    const { level, timestamp: at, properties } = record;
    const message = record.message.join("");
    const isInfo = level === "info" || level === "debug" || level === "trace";
    if (isInfo && !FAILURES.has(message)) return;
    const { code, reason, cause, sandboxId, port, requestId } = properties;
    const trouble: Trouble = {
      at,
      level: isInfo ? "info" : level === "warning" ? "warning" : "error",
      message,
      count: 1,
      ...typeof code === "string" && { code },
      ...typeof sandboxId === "string" && { sandboxId },
      ...typeof port === "number" && { port },
      ...typeof requestId === "string" && { requestId },
      ...reasonOf(reason, cause),
    };
    const troubles = isInfo ? this.#ofUsers : this.#ofOperator;
    const key = troubleKey(trouble);
    const count = (troubles.get(key)?.count ?? 0) + 1;
    troubles.delete(key); // so that it becomes the latest
    troubles.set(key, { ...trouble, count });
    for (const oldest of troubles.keys()) {
      if (troubles.size <= MAX_TROUBLES) break;
      troubles.delete(oldest);
    }
  };

  /** All of them, the latest first. */
  list(): Trouble[] {
    return [...this.#ofOperator.values(), ...this.#ofUsers.values()]
      .sort((a, b) => b.at - a.at);
  }
}

function reasonOf(...given: readonly unknown[]): { reason?: string } {
  const reasons = given.filter((each) => typeof each === "string");
  if (reasons.length === 0) return {};
  return { reason: reasons.join(": ").slice(0, MAX_LENGTH) };
}
