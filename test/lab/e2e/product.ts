/** A product that frames previews: its page, by the gateway's own module, and what its backend asks the gateway for. */
import assert from "node:assert/strict";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import type { Answer, SendOptions } from "../../support/send.ts";
import type { Frame, Page } from "./browser/page.ts";
import { poll } from "./browser/poll.ts";
import html from "./product_page.html" with { type: "text" };

/** An embed, as the backend is told of it once. */
export interface MadeEmbed {
  readonly id: string;
  readonly url: string;
  readonly stateUrl: string;
  readonly stateToken: string;
}

interface BackendOptions {
  /** Sends a request to the gateway's base host. */
  readonly send: (
    options: SendOptions,
  ) => Promise<Pick<Answer, "status" | "body">>;
  readonly sandbox: string;
  /** The product's origin. */
  readonly product: string;
}

/** The backend of a product, with the key of a member of the sandbox. */
export class Backend {
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
  }

  /** Makes an embed of a port, for the product's page. */
  async make(port: number, differences: object = {}): Promise<MadeEmbed> {
    const { sandbox, product } = this.#options;
    const body = {
      ...{ sandbox, port, ancestors: [product], ttlSec: 600 },
      ...differences,
    };
    const answer = await this.#ask("POST", "", body);
    assert.equal(answer.status, 201, answer.body);
    return JSON.parse(answer.body);
  }

  /** Another code for it, which lasts longer then. */
  async renew(
    { id }: Pick<MadeEmbed, "id">,
  ): Promise<Pick<MadeEmbed, "url" | "stateToken">> {
    const answer = await this.#ask("POST", `/${id}/renew`, {});
    assert.equal(answer.status, 200, answer.body);
    return JSON.parse(answer.body);
  }

  async end({ id }: Pick<MadeEmbed, "id">): Promise<void> {
    assert.equal((await this.#ask("DELETE", `/${id}`)).status, 204);
  }

  async #ask(method: string, path: string, body?: object) {
    return await this.#options.send({
      method,
      path: `/api/v1/embeds${path}`,
      headers: {
        authorization: `Bearer ${KEYS.user}`,
        ...body && { "content-type": "application/json" },
      },
      body: body && JSON.stringify(body),
    });
  }
}

/** Answers with the product's page, which knows the gateway at that URL; at `/isolated`, with one that is isolated. */
export function productPage({ url }: Request, gateway: string): Response {
  const isIsolated = new URL(url).pathname === "/isolated";
  return new Response(html.replaceAll("{{gateway}}", gateway), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      ...isIsolated && {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      },
    },
  });
}

/** Has the product's page show an embed. */
export async function show(
  page: Page,
  embed: Partial<MadeEmbed>,
): Promise<void> {
  await page.until("globalThis.show !== undefined");
  await page.evaluate(`show(${JSON.stringify(embed)})`);
}

/** Waits until a frame of the page shows a text, at an address with that end, and returns it. */
export async function frameWith(
  page: Pick<Page, "frames">,
  text: string,
  { end = "" }: { readonly end?: string } = {},
): Promise<Frame> {
  let seen = "";
  const found = await poll(async () => {
    seen = "";
    for (const frame of await page.frames()) {
      const [shown = "", url = ""] = await frame.evaluate<string[]>(
        "[document.body.innerText, location.href]",
      ).catch(() => []); // between two pages
      if (shown.includes(text) && url.endsWith(end)) return frame;
      seen += `${url}: ${shown}\n`;
    }
    return undefined;
  });
  return found ?? assert.fail(`Never shown: ${text}; but ${seen}`);
}

/** Waits until a list of {@linkcode show} has a text in it. */
export async function hears(
  page: Page,
  list: "states" | "paths" | "errors" | "lines",
  text: string,
): Promise<void> {
  const quoted = JSON.stringify(text);
  await page.until(`told.${list}.some((one) => one.includes(${quoted}))`)
    .catch(async (error) => {
      const told = await page.evaluate("JSON.stringify(told)");
      throw new Error(`Not heard: ${text}; but ${told}`, { cause: error });
    });
}
