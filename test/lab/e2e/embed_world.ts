/** A gateway over https whose previews are framed by a product, with a page that no embed lists beside it. */
import { LOCALHOST } from "../../support/certificates.ts";
import { recordsFile } from "../../support/records_file.ts";
import type { Answer, SendOptions } from "../../support/send.ts";
import type { Page } from "./browser/page.ts";
import { ORDINARY_DOMAIN, PUBLIC_SUFFIX } from "./domains.ts";
import { Backend, productPage } from "./product.ts";
import type { OpenOptions, Stage } from "./scenario.ts";
import { serveOnLoopback } from "./scenarios/isolation_apps.ts";
import { REFUSALS } from "./scenarios/isolation_login.ts";
import { type SecureGateway, startSecureGateway } from "./secure_gateway.ts";

/** All of that; disposing of it ends what its pages have open, and stops the servers. */
export interface EmbedWorld extends SecureGateway {
  readonly backend: Backend;
  /** The origin of the product's page. */
  readonly product: string;
  /** The origin of the same page on yet another site. */
  readonly stranger: string;
  /** Opens the product's page as a new visitor. */
  open(options?: OpenOptions): Promise<Page>;
  /** Sends a request to the gateway, without a browser. */
  send(url: string, options?: SendOptions): Promise<Answer>;
  /** Has a port of the private sandbox lead to one of this machine. */
  listen(port: number, localPort: number): void;
}

/** Ends what a page has open: Chromium goes on with it for a minute if only another page is opened. */
export async function leave(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    globalThis.preview?.unmount();
    for (const frame of document.querySelectorAll("iframe")) frame.remove();
  })()`);
}

/**
 * Starts it. The product is of another site than the previews; of the same one for WebKit, which keeps no cookies in
 * frames of other sites.
 */
export async function startEmbedWorld(
  { engine, open }: Pick<Stage, "engine" | "open">,
  environment: Readonly<Record<string, string>> = {},
): Promise<EmbedWorld> {
  await using started = new AsyncDisposableStack();
  const records = started.use(await recordsFile());
  const secure = started.use(
    await startSecureGateway(ORDINARY_DOMAIN, {
      EMBEDS: "members",
      EMBED_BRIDGE: "true",
      ...records.environment,
      ...environment,
    }),
  );
  const { gateway, at } = secure;
  const { cert, key } = LOCALHOST;
  const { origin } = new URL(at(""));
  const pages = started.use(
    serveOnLoopback((request) => productPage(request, origin), { cert, key }),
  );
  const site = engine === "webkit" ? ORDINARY_DOMAIN : PUBLIC_SUFFIX;
  const product = `https://product.${site}:${pages.port}`;
  function send(to: string, options: SendOptions = {}): Promise<Answer> {
    const { host, pathname, search } = new URL(to);
    return gateway.send(host, { path: pathname + search, ...options });
  }
  const backend = new Backend({
    send: (options) => send(origin, options),
    sandbox: "locked",
    product,
  });
  const owned = started.move();
  return {
    gateway,
    at,
    backend,
    product,
    send,
    stranger: `https://stranger.${PUBLIC_SUFFIX}:${pages.port}`,
    async open(options) {
      const page = await open({ expectedErrors: REFUSALS, ...options });
      owned.defer(() => leave(page));
      await page.goto(`${product}/`);
      return page;
    },
    listen(port, localPort) {
      gateway.stack.runner.containers.get("locked")?.ports.set(port, localPort);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
