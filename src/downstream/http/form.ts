/** The form of one of the gateway's own pages: short, and sent at once. */
import { GatewayError } from "../../errors.ts";
import type { RequestHeaders } from "../../http/headers.ts";
import { bodyReader } from "../../upstream/http1/body_reader.ts";
import { wholeBody } from "../../upstream/http1/whole_body.ts";

/** The time that a form may take to arrive, ms. */
const FORM_TIMEOUT_MS = 10_000;

/**
 * A request's body of checked length.
 * @throws {GatewayError} `upload_stalled` if it is late, `bad_request` if it broke
 */
export async function ownForm(
  { body }: Pick<Request, "body">,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array();
  const form = await wholeBody(bodyReader(body), FORM_TIMEOUT_MS)
    .catch((cause) => {
      throw new GatewayError("bad_request", "The form broke off", { cause });
    });
  if (form instanceof Uint8Array) return form;
  // It is not cancelled: a read of it waits (see leaked_sockets.ts).
  throw new GatewayError("upload_stalled", "No form in time");
}

/** A field of a request's form, a short one of announced length; empty if there is none. Throws as {@linkcode ownForm}. */
export async function ownFormField(
  { headers, request }: {
    readonly headers: RequestHeaders;
    readonly request: Pick<Request, "body">;
  },
  name: string,
): Promise<string> {
  const length = headers.get("content-length") ?? "";
  if (!/^[0-9]{1,5}$/.test(length)) return "";
  const form = new TextDecoder().decode(await ownForm(request));
  return new URLSearchParams(form).get(name) ?? "";
}
