/** Calls about sandboxes that do not exist, which show what the API makes of the gateway's own key. */
import type { GatewayMode } from "../config/config.ts";
import type { ApiCaller } from "./api_request.ts";
import { type ProxyRole, proxyRoleOf } from "./proxy_role.ts";
import type { KeyVerdict } from "./service_key.ts";

const by = { kind: "own" } as const;

/** Makes a call that needs the key; the verdict goes to the caller's `onKeyVerdict`, and that of another role to `onVerdict`. */
export async function probeKey(
  api: ApiCaller,
  mode: GatewayMode,
  onVerdict: (verdict: KeyVerdict) => void,
): Promise<void> {
  const id = crypto.randomUUID();
  if (mode === "hosted") {
    const path = { sandboxIdOrName: id, port: 1 };
    await api.call("getPortPreviewUrl", { path, by });
    return;
  }
  await api.call("isSandboxPublic", {
    path: { sandboxId: id },
    by,
    // Here it is not about the sandbox.
    onAnswer: ({ status }) => status === 403 && onVerdict("other_role"),
  });
}

/** Asks what the API takes the gateway for; undefined if its answer does not show that. */
export async function probeRole(
  api: ApiCaller,
): Promise<ProxyRole | undefined> {
  let role: ProxyRole | undefined;
  await api.call("getSandbox", {
    path: { sandboxIdOrName: crypto.randomUUID() },
    by,
    onAnswer({ status }) {
      role = proxyRoleOf(status);
    },
  });
  return role;
}
