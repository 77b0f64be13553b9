import type { AdmittedRequest } from "../../src/proxy/runner_request.ts";

/** A GET of port 3000 of the sandbox `box`, with these differences. */
export function admittedRequest(
  differences: Partial<AdmittedRequest> = {},
): AdmittedRequest {
  const { signal } = new AbortController();
  return {
    method: "GET",
    headers: new Headers(),
    body: null,
    contentLength: null,
    target: "/",
    sandboxId: "box",
    destination: 3000,
    forwarded: { host: "3000-box.test", proto: "http", for: "127.0.0.1" },
    dropAuthorization: false,
    requestId: "id",
    signal: () => signal,
    ...differences,
  };
}
