/** The answers to what Daytona's SDK calls, and the gateway does not. */
import {
  NAMES_FIRST,
  type Operations,
  previewUrl,
  signingKeyOf,
  withNamedSandbox,
  withSandbox,
} from "./api_answers.ts";
import { MEMBERS } from "./api_callers.ts";
import type { SdkAnswers } from "./api_contract.ts";
import { ORGANIZATION } from "./api_state.ts";

/** These operations. */
export const SDK_OPERATIONS: Operations<SdkAnswers> = {
  getSignedPortPreviewUrl: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}/ports/{port}/signed-preview-url",
    callers: MEMBERS,
    answer: (query) =>
      withNamedSandbox(query, (sandbox) => {
        const { state, now, params: [, port], search } = query;
        const seconds = Number(search.get("expiresInSeconds") ?? 60);
        if (Number.isNaN(seconds)) {
          return { refused: 500, message: "Internal server error" };
        }
        if (!(seconds >= 1 && seconds <= 86_400)) {
          return {
            refused: 400,
            message: "expiresInSeconds must be between 1 second and 24 hours",
          };
        }
        const token = newSignedToken();
        state.signedTokens.set(token, {
          sandboxId: sandbox.id,
          port: Number(port),
          expiresAt: now + seconds * 1000,
          revoked: false,
        });
        return {
          sandboxId: sandbox.id,
          port: Number(port),
          token,
          url: previewUrl(query, sandbox, token),
        };
      }, NAMES_FIRST),
  },
  expireSignedPortPreviewUrl: {
    method: "POST",
    path:
      "/sandbox/{sandboxIdOrName}/ports/{port}/signed-preview-url/{token}/expire",
    callers: MEMBERS,
    answer: (query) =>
      withNamedSandbox(query, ({ id }) => {
        const { state, params: [, port, token = ""] } = query;
        const link = state.signedTokens.get(token);
        if (link?.sandboxId === id && link.port === Number(port)) {
          link.revoked = true;
        }
        return undefined;
      }, NAMES_FIRST),
  },
  getToolboxProxyUrl: {
    method: "GET",
    path: "/sandbox/{sandboxId}/toolbox-proxy-url",
    callers: MEMBERS,
    answer: (query) =>
      withSandbox(query, () => ({ url: query.state.config.proxyToolboxUrl })),
  },
  getSandboxSigningKey: {
    method: "GET",
    path: "/sandbox/{sandboxId}/signing-key",
    callers: MEMBERS,
    isJson: true,
    answer: (query) => withSandbox(query, signingKeyOf),
  },
  listSandboxes: {
    method: "GET",
    path: "/sandbox",
    callers: MEMBERS,
    answer({ state, caller }) {
      const items = [...state.sandboxes.values()].filter(({ id }) =>
        caller !== undefined && "visible" in caller && caller.visible.has(id)
      ).map(({ id, organizationId = ORGANIZATION }) => ({
        id,
        organizationId,
      }));
      return state.hasErrorCodes ? { items } : items;
    },
  },
  rotateSigningKey: {
    method: "POST",
    path: "/sandbox/{sandboxId}/signing-key/rotate",
    callers: MEMBERS,
    isJson: true,
    answer: (query) =>
      withSandbox(
        query,
        (sandbox) => (sandbox.signingKey = crypto.randomUUID()),
      ),
  },
};

/** Sixteen characters of `[a-z0-9]`, like the real ones. */
function newSignedToken(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
