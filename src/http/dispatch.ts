/** The front door: one look at the address decides between the data plane and the gateway's own pages. */
import { parseHost } from "../address/preview_host.ts";
import { splitRequestUrl } from "../address/request_url.ts";
import { wantsDocument } from "../lib/fetch_metadata.ts";
import type { ErrorCode } from "../errors.ts";
import { type AddressRange, provenance } from "../proxy/client_address.ts";
import type { ControlContext } from "./control_env.ts";
import type { Gateway } from "./gateway.ts";
import { problem } from "./problem.ts";

/** Parts of the front door. */
export interface DispatchOptions {
  readonly scheme: "http" | "https";
  readonly trustedProxies: readonly AddressRange[];
  /** Base domains, as {@linkcode parseHost} takes them; they may become known after the start. */
  readonly baseDomains: () => readonly string[];
  readonly gateway: Gateway;
  /** The control plane. */
  readonly control: (
    request: Request,
    context: ControlContext,
  ) => Response | Promise<Response>;
  readonly nextRequestId: () => string;
  readonly now: () => number;
}

/** A handler for `Deno.serve`. */
export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

function peerOf(info: Deno.ServeHandlerInfo): string {
  return "hostname" in info.remoteAddr ? info.remoteAddr.hostname : "127.0.0.1";
}

/** Creates the handler of every request. */
export function createDispatch(options: DispatchOptions): Handler {
  return function dispatch(request, info) {
    const { method, headers } = request;
    const id = options.nextRequestId();

    function refuse(code: ErrorCode): Response {
      const asPage = wantsDocument(headers);
      return problem({ code, requestId: id, asPage });
    }

    const split = splitRequestUrl(request.url, headers.get("host"));
    if (!split.ok) return refuse(split.code);
    const { authority, target } = split.address;
    const parsed = parseHost(authority, options.baseDomains());
    switch (parsed.kind) {
      case "preview":
        return options.gateway({
          id,
          request,
          method,
          headers,
          host: parsed.host,
          authority,
          target,
          peer: peerOf(info),
          startedAt: options.now(),
        });
      case "malformed":
        return refuse("bad_host");
      case "base":
      case "foreign": {
        const { clientAddress } = provenance(peerOf(info), headers, {
          authority,
          scheme: options.scheme,
          trusted: options.trustedProxies,
        });
        return options.control(request, {
          requestId: id,
          authority,
          base: parsed.kind === "base" ? parsed.base : undefined,
          clientAddress,
        });
      }
    }
  };
}
