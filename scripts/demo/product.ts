/** The demo's product: another site's page with a preview in a frame, and the backend that asks the gateway for it. */
import html from "./product_page.html" with { type: "text" };
import type { FramedApp } from "./framed_app.ts";

/** The gateway's base domain. */
const DOMAIN = "proxy.localhost";

/**
 * The product's host. For browsers, it is one site with the previews, since `localhost` counts as a public suffix and the
 * port does not: so they keep the session's cookie in the frame, which needs https elsewhere.
 */
const HOST = `product.${DOMAIN}`;

/** How long the embed lasts, s: the page renews it before that. */
const TTL_SEC = 120;

interface ProductOptions {
  /** The gateway's port. */
  readonly port: number;
  /** The Daytona key of a member of the sandbox. */
  readonly key: string;
  readonly app: Pick<FramedApp, "port" | "edit" | "stop" | "start">;
}

/** Serves it on a free port of this machine; disposing of it stops its server. */
export function startProduct(
  { port, key, app }: ProductOptions,
): { readonly url: string } & AsyncDisposable {
  const client = Deno.createHttpClient({ allowHost: true });
  const gateway = `${DOMAIN}:${port}`;

  /** What the gateway's API answers; `*.localhost` is no name that every machine resolves. */
  function call(path: string, body: object): Promise<Response> {
    return fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: {
        "host": gateway,
        "authorization": `Bearer ${key}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
      client,
    });
  }

  const page = html.replaceAll("{{gateway}}", `http://${gateway}`);
  let url = "";
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "GET") {
        const headers = { "content-type": "text/html; charset=utf-8" };
        return new Response(pathname === "/" ? page : null, {
          status: pathname === "/" ? 200 : 404,
          headers,
        });
      }
      // A product would ask for its own login here.
      if (request.headers.get("sec-fetch-site") !== "same-origin") {
        return new Response(null, { status: 403 });
      }
      const [, action, id] = pathname.split("/");
      switch (action) {
        case "preview":
          return await call("/api/v1/embeds", {
            sandbox: "locked",
            port: app.port,
            ancestors: [url],
            ttlSec: TTL_SEC,
            bridge: ["errors", "console", "navigation"],
          });
        case "renew":
          return await call(`/api/v1/embeds/${id}/renew`, {});
        case "edit":
        case "stop":
        case "start":
          await app[action]();
          return new Response(null, { status: 204 });
        default:
          return new Response(null, { status: 404 });
      }
    },
  );
  url = `http://${HOST}:${server.addr.port}`;
  return {
    url: `${url}/`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      client.close();
    },
  };
}
