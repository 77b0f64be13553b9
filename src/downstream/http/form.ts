/** The form of one of the gateway's own pages: short, and sent at once. */
import { GatewayError } from "../../errors.ts";
import type { RequestHeaders } from "../../http/headers.ts";
import { bodyReader } from "../../upstream/http1/body_reader.ts";
import { wholeBody } from "../../upstream/http1/whole_body.ts";

/** The time that a form may take to arrive, ms. */
const FORM_TIMEOUT_MS = 10_000;

/**
 * The body of a request, whose length has been checked.
 *
 * @throws {GatewayError} `upload_stalled` if it does not arrive in time, `bad_request` if the client has disconnected
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

/**
 * A field of the form in a request; empty if there is none. Only a short body of announced length is read. Throws as
 * {@linkcode ownForm} does.
 */
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
