/** What the gateway asks by on its own behalf: its own client, or the platform's `fetch`. */
import { UpstreamClient, type UpstreamConfig } from "./http1/client.ts";
import { createFetch } from "./http1/fetch.ts";

type Fetch = (request: Request) => Promise<Response>;

interface OwnQuestions {
  /** To be closed at the end. */
  readonly client: UpstreamClient;
  /** For the API. */
  readonly apiFetch: Fetch;
  /** For the API where the URL is a secret. */
  readonly apiSecretFetch: Fetch;
  /** For others where the URL is a secret: no trace has it. */
  readonly secretFetch: Fetch;
}

/** Chooses by the API's URL, and by what the platform does with what is asked. */
export function createOwnQuestions(
  config: UpstreamConfig,
  { apiUrl, hasSpans, fetchesByProxy, dial }: {
    readonly apiUrl: string;
    /** True if Deno makes spans, with addresses, of what it fetches. */
    readonly hasSpans: boolean;
    /** True if Deno fetches by a proxy. */
    readonly fetchesByProxy: boolean;
    readonly dial: ConstructorParameters<typeof UpstreamClient>[1];
  },
): OwnQuestions {
  const client = new UpstreamClient({
    ...config,
    headerTimeoutMs: 0, // each question has a deadline of its own
    idleTimeoutMs: 4_000, // less than most servers keep a connection
  }, dial);
  const ownFetch = fetchesByProxy ? fetch : createFetch(client);
  // It takes less time than the platform's, which makes spans, and asks by HTTP/2 where it can.
  const apiFetch = apiUrl.startsWith("http:") && !hasSpans ? ownFetch : fetch;
  return {
    client,
    apiFetch,
    apiSecretFetch: hasSpans ? ownFetch : apiFetch,
    secretFetch: hasSpans ? ownFetch : fetch,
  };
}
