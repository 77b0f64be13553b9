import type { ApiCaller } from "./api_request.ts";
import type { StartCredential } from "./credential.ts";
import { type StartAnswer, startAnswerOf } from "./start_answer.ts";

/**
 * Starts or recovers a sandbox. The organization's limit of starts is an answer as well.
 *
 * @throws {GatewayError} as {@linkcode ApiCaller.call} does
 */
export async function bringUp(
  api: ApiCaller,
  operation: "startSandbox" | "recoverSandbox",
  { sandboxId, by }: { sandboxId: string; by: StartCredential },
): Promise<StartAnswer> {
  let answer: StartAnswer | undefined;
  const call = api.call(operation, {
    path: { sandboxIdOrName: sandboxId },
    by,
    onAnswer({ status, body, headers }) {
      answer = startAnswerOf(status, body, headers);
    },
  });
  return await call.catch((error) => {
    if (answer?.kind === "throttled") return answer;
    throw error;
  });
}
