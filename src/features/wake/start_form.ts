/** The button that starts a sandbox, on the page that says that it does not run, and the token in its form. */
import { ownFormField } from "../../downstream/http/form.ts";
import { GatewayError, type PageAction } from "../../errors.ts";
import type { SandboxExchange } from "../../gateway/sandbox_route.ts";
import type { Sealer } from "../../lib/seal.ts";
import { escapeHtml } from "../../pages/html.ts";
import { BASE_POLICY, PAGE_POLICY } from "../../pages/page.ts";
import type { StartOperation } from "./starts.ts";

/** Where the form posts to, on the preview host. */
export const START_PATH = "/porthole-start-sandbox";

const TOKEN_FIELD = "ticket";
const TOKEN_TTL_MS = 10 * 60 * 1000;

/** Longest target that a token leads back to, characters; others lead to `/`. */
const MAX_TARGET_LENGTH = 2000;

const LABELS: Readonly<Record<StartOperation, string>> = {
  start: "Start the sandbox",
  recover: "Recover the sandbox",
};

/**
 * The form, and the Content-Security-Policy of its page, which must not be hidden in somebody's frame. It has no
 * `form-action`, since browsers also apply that to the redirects that follow the form: those of the app, once it runs.
 */
export function startForm({ token, framedBy, operation }: {
  readonly token: string;
  readonly framedBy: readonly string[];
  readonly operation: StartOperation;
}): PageAction {
  const ancestors = framedBy.length === 0 ? "'none'" : framedBy.join(" ");
  const label = LABELS[operation];
  return {
    html: `<form method="post" action="${START_PATH}">
<button name="${TOKEN_FIELD}" value="${escapeHtml(token)}">${label}</button>
</form>`,
    policy: `${BASE_POLICY}; frame-ancestors ${ancestors}`,
  };
}

/** The link for who has not logged in, to the login at `location`. */
export function loginLink(location: string): PageAction {
  return {
    html: `<p><a class="button" href="${
      escapeHtml(location)
    }" data-here>Log in to start it</a></p>`,
    policy: PAGE_POLICY,
  };
}

/** Seals the tokens of forms, and opens them: each is for one sandbox, one visitor and ten minutes. */
export class StartTokens {
  readonly #sealer: Sealer;
  readonly #now: () => number;

  constructor(sealer: Sealer, now: () => number) {
    this.#sealer = sealer;
    this.#now = now;
  }

  /** The token for the page that answers a request of that visitor. */
  async seal(
    { sandboxId, route: { appTarget } }: SandboxExchange,
    visitor: string,
    means: StartOperation,
  ): Promise<string> {
    const target = appTarget.length > MAX_TARGET_LENGTH ? "/" : appTarget;
    const content = { sandboxId, visitor, target, means };
    return await this.#sealer.seal(content, this.#now() + TOKEN_TTL_MS);
  }

  /**
   * Where the form of that visitor's request was, and what its button was for.
   * @throws {GatewayError} `start_expired` if its token is not good for this, and as {@linkcode ownFormField} does
   */
  async open(
    x: SandboxExchange,
    visitor: string,
  ): Promise<{ readonly target: string; readonly operation: StartOperation }> {
    const token = await this.#sealer.open(await ownFormField(x, TOKEN_FIELD));
    if (token?.["sandboxId"] !== x.sandboxId || token["visitor"] !== visitor) {
      throw new GatewayError("start_expired", "No token for this");
    }
    // Sealed, so that it is what seal() made.
    const operation = token["means"] === "recover" ? "recover" : "start";
    return { target: String(token["target"]), operation };
  }
}
