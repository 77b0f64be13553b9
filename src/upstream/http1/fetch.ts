/** `fetch` by this client: for URLs with a secret, as Deno's own records whole URLs (OpenTelemetry). */
import { parseOrigin } from "../../http/origin.ts";
import { bodyReader } from "../../stream/body_reader.ts";
import { discardBody, type ResponseBody } from "../../stream/response_body.ts";
import type { UpstreamClient } from "./client.ts";

/**
 * Creates a `fetch` that neither follows redirects, nor goes by a proxy, nor decodes content: it asks for none that is
 * encoded. It rejects as {@linkcode UpstreamClient.request} does.
 */
export function createFetch(
  client: Pick<UpstreamClient, "request">,
): (request: Request) => Promise<Response> {
  return async ({ url, method, headers, body, signal }) => {
    const { host, pathname, search } = new URL(url);
    const response = await client.request({
      origin: parseOrigin(url),
      method,
      target: `${pathname}${search}`,
      headers: [
        ["host", host],
        ["accept-encoding", "identity"],
        ["user-agent", navigator.userAgent],
        ...headers,
      ],
      body: body && bodyReader(body),
      contentLength: body === null && method === "POST" ? 0 : null,
      signal,
    });
    try {
      return new Response(streamOf(response.body), {
        status: response.status,
        headers: response.headers.map(([name, value]) => [name, value]),
      });
    } catch (error) {
      discardBody(response.body); // a status that no Response may have
      throw error;
    }
  };
}

function streamOf(body: ResponseBody): BodyInit | null {
  if (body === null || body instanceof Uint8Array) return body;
  return new ReadableStream({
    async pull(controller) {
      const bytes = await body.read();
      if (bytes === null) controller.close();
      else controller.enqueue(bytes);
    },
    cancel: () => body.cancel(),
  });
}
