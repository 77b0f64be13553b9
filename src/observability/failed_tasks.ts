/** Tasks that run beside requests: the log says if one fails. */
import { Background } from "../lib/background.ts";
import { createReportLimit } from "../lib/cooldown.ts";
import { describeError } from "../lib/describe_error.ts";
import { loggerFor } from "./log.ts";

/** Has tasks run beside requests; once `closing` is aborted, their failures are not logged. */
export function createBackground(closing: AbortSignal): Background {
  const logger = loggerFor("gateway");
  const shouldReport = createReportLimit(() => performance.now());
  return new Background((task, reason) => {
    if (closing.aborted || !shouldReport(task)) return;
    const facts = { task, reason: describeError(reason) };
    logger.warn("background task failed", facts);
  });
}
