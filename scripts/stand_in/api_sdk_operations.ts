/**
 * The Daytona API's answers to calls that Daytona's SDK makes, but the gateway does not. They are not part of
 * `openapi/daytona.yaml`, so they are typed here, with the properties that the SDK reads.
 */
import {
  type ApiSandbox,
  noSandbox,
  type Query,
  type Refusal,
} from "./api_operations.ts";

/** The ids of these operations in Daytona's own description. */
export type SdkOperationId = keyof Answers;

interface Answers {
  readonly getPortPreviewUrl: {
    readonly sandboxId: string;
    readonly url: string;
    readonly token: string;
  };
  readonly getSignedPortPreviewUrl: {
    readonly sandboxId: string;
    readonly port: number;
    readonly token: string;
    readonly url: string;
  };
  readonly expireSignedPortPreviewUrl: undefined;
  readonly getToolboxProxyUrl: { readonly url: string };
}

/** How an operation is called and answered; all of them are for users. */
export interface SdkOperation<K extends SdkOperationId = SdkOperationId> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly caller: "user";
  answer(query: Query): Answers[K] | Refusal;
}

/** Every operation that the SDK is used with. */
export const SDK_OPERATIONS: {
  readonly [K in SdkOperationId]: SdkOperation<K>;
} = {
  getPortPreviewUrl: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}/ports/{port}/preview-url",
    caller: "user",
    answer: (query) =>
      withSandbox(query, ({ id, authToken }) => ({
        sandboxId: id,
        url: previewUrl(query, id),
        token: authToken,
      })),
  },
  getSignedPortPreviewUrl: {
    method: "GET",
    path: "/sandbox/{sandboxIdOrName}/ports/{port}/signed-preview-url",
    caller: "user",
    answer: (query) =>
      withSandbox(query, ({ id }) => {
        const { state, params: [, port], search, now } = query;
        const seconds = Number(search.get("expiresInSeconds") ?? 60);
        if (!(seconds >= 1 && seconds <= 86_400)) {
          return {
            refused: 400,
            message: "expiresInSeconds must be between 1 second and 24 hours",
          };
        }
        const token = newSignedToken();
        state.signedTokens.set(token, {
          sandboxId: id,
          port: Number(port),
          expiresAt: now + seconds * 1000,
          revoked: false,
        });
        return {
          sandboxId: id,
          port: Number(port),
          token,
          url: previewUrl(query, token),
        };
      }),
  },
  expireSignedPortPreviewUrl: {
    method: "POST",
    path:
      "/sandbox/{sandboxIdOrName}/ports/{port}/signed-preview-url/{token}/expire",
    caller: "user",
    answer: (query) =>
      withSandbox(query, ({ id }) => {
        const { state, params: [, port, token = ""] } = query;
        const link = state.signedTokens.get(token);
        if (link?.sandboxId === id && link.port === Number(port)) {
          link.revoked = true;
        }
        return undefined;
      }),
  },
  getToolboxProxyUrl: {
    method: "GET",
    path: "/sandbox/{sandboxId}/toolbox-proxy-url",
    caller: "user",
    answer: (query) =>
      withSandbox(query, () => ({ url: query.state.config.proxyToolboxUrl })),
  },
};

/** Answers for the sandbox named first in the path, if the caller has access to it. */
function withSandbox<T>(
  { state, params: [id = ""], visible }: Query,
  answer: (sandbox: ApiSandbox) => T,
): T | Refusal {
  const sandbox = state.sandboxes.get(id);
  return sandbox === undefined || !visible.has(id)
    ? noSandbox(id)
    : answer(sandbox);
}

function previewUrl(
  { state, params: [, port = ""] }: Query,
  label: string,
): string {
  return state.config.proxyTemplateUrl
    .replace("{{PORT}}", port)
    .replace("{{sandboxId}}", label);
}

/** Sixteen characters of `[a-z0-9]`, like the real ones. */
function newSignedToken(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
