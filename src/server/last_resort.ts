/** The answer to a request whose handler has failed, which is a bug of ours. */
import type { Handler } from "../downstream/http/handler.ts";
import { wantsDocument } from "../http/fetch_metadata.ts";
import { problem } from "../pages/problem.ts";

/** A handler that answers what `handler` fails for with `internal`, and reports it like any error that nobody caught. */
export function withLastResort(handler: Handler): Handler {
  return (request, info) => {
    try {
      const answer = handler(request, info);
      return answer instanceof Response
        ? answer
        : answer.catch((error) => refuse(request, error));
    } catch (error) {
      return refuse(request, error);
    }
  };
}

function refuse(request: Request, cause: unknown): Response {
  const requestId = crypto.randomUUID();
  reportError(new Error(`Request ${requestId} failed`, { cause }));
  const asPage = wantsDocument(request.headers);
  return problem({ code: "internal", requestId, asPage });
}
