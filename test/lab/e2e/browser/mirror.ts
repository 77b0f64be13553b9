/** An empty page at every host that leads to this machine: cookies are for hosts, whatever the port. */
import { LOCALHOST } from "../../../support/certificates.ts";
import { serveOnLoopback } from "../scenarios/isolation_apps.ts";
import type { Names } from "./names.ts";

/** The page; disposing of it stops its servers. */
export interface Mirror extends AsyncDisposable {
  /** The page's URL with the scheme, the host and the path of another one. */
  url(of: string): string;
}

/** Starts it, over plain HTTP and over TLS, and makes its ports known. */
export function startMirror(names: Names): Mirror {
  const { cert, key } = LOCALHOST;
  const plain = serveOnLoopback(emptyPage);
  const secure = serveOnLoopback(emptyPage, { cert, key });
  for (const { port } of [plain, secure]) names.ports.add(port);
  return {
    url(of) {
      const url = new URL(of);
      const { port } = url.protocol === "https:" ? secure : plain;
      url.port = String(port);
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      await plain[Symbol.asyncDispose]();
      await secure[Symbol.asyncDispose]();
    },
  };
}

function emptyPage(): Response {
  return new Response('<!doctype html><link rel="icon" href="data:,">', {
    headers: { "content-type": "text/html" },
  });
}
