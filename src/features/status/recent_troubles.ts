/** The last warnings, errors and failed requests of the log, kept for the status page. */
import type { LogRecord } from "@logtape/logtape";
import { Lru } from "../../lib/lru.ts";

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

/** What is logged at level info, but is a trouble of somebody's. */
const FAILURE = /^(?:request failed|(?:response|tunnel) broke off)$/;

/** Most that are remembered of the operator's, and of users' own, which must not crowd them out. */
const MAX_TROUBLES = 20;

/** Longest reason, characters. */
const MAX_LENGTH = 300;

/** Remembers them; its `sink` is one of LogTape's. */
export class RecentTroubles {
  readonly #ofOperator = new Lru<string, Trouble>({ max: MAX_TROUBLES });
  readonly #ofUsers = new Lru<string, Trouble>({ max: MAX_TROUBLES });

  readonly sink = (record: LogRecord): void => {
    const { level, timestamp: at, properties } = record;
    const message = record.message.join("");
    const isInfo = level === "info" || level === "debug" || level === "trace";
    if (isInfo && !FAILURE.test(message)) return;
    const { code, sandboxId, port, requestId } = properties;
    const reason = [properties["reason"], properties["cause"]]
      .filter((each) => typeof each === "string")
      .join(": ").slice(0, MAX_LENGTH);
    const trouble = {
      at,
      level: isInfo ? "info" : level === "warning" ? "warning" : "error",
      message,
      ...typeof code === "string" && { code },
      ...typeof sandboxId === "string" && { sandboxId },
      ...typeof port === "number" && { port },
      ...typeof requestId === "string" && { requestId },
      ...reason !== "" && { reason },
    } as const;
    const troubles = isInfo ? this.#ofUsers : this.#ofOperator;
    const key = [message, trouble.code, trouble.sandboxId, trouble.port, reason]
      .join("\n");
    const count = (troubles.get(key)?.count ?? 0) + 1;
    troubles.set(key, { ...trouble, count });
  };

  /** All of them, the latest first. */
  list(): Trouble[] {
    return [...this.#ofUsers.values(), ...this.#ofOperator.values()].reverse()
      .sort((a, b) => b.at - a.at);
  }
}
