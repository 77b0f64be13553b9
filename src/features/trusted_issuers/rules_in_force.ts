import type { Logger } from "../../observability/log.ts";
import type { Rule, RulesResult } from "./rules.ts";

/** The rules of a file or, as long as that cannot be used, those that it had before. */
export class RulesInForce {
  readonly #read: () => RulesResult;
  readonly #log: Pick<Logger, "info" | "error">;
  #latest = "";
  current: readonly Rule[] = [];

  constructor(read: () => RulesResult, log: Pick<Logger, "info" | "error">) {
    this.#read = read;
    this.#log = log;
    this.reload();
  }

  /** Reads it again, by what it contains: times of change tell nothing if a symbolic link is switched. */
  reload(): void {
    const result = this.#read();
    const latest = JSON.stringify(result);
    if (latest === this.#latest) return;
    this.#latest = latest;
    if (!result.ok) {
      const { problems } = result;
      return this.#log.error("trusted issuers refused, old kept", { problems });
    }
    this.current = result.rules;
    this.#log.info("trusted issuers read", { rules: result.rules.length });
  }
}
