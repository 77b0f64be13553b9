/** What is sent to one of the gateway's own pages: short, and at once. */
import { GatewayError } from "../../errors.ts";
import { giveBackBuffer } from "../../stream/buffer_pool.ts";
import { UPLOAD_ERRORS } from "../ends.ts";
import type { Reply } from "./reply.ts";

const FORM_TIMEOUT_MS = 10_000;

/** The longest form with one field, which may be an address, bytes. */
const MAX_FIELD_BYTES = 100_000;

/** Reads a form of so many bytes at most. */
export type ReadForm = (maxBytes: number) => Promise<Uint8Array<ArrayBuffer>>;

type FormReply = Pick<
  Reply,
  "openUpload" | "superviseUpload" | "upload" | "contentLength"
>;

/**
 * A request's whole body, charged and watched as any upload is.
 * @throws {GatewayError} `form_too_long`, `upload_stalled` if it is late, `bad_request` if it broke, or as
 * {@linkcode UPLOAD_ERRORS} if it has to go
 */
export async function ownForm(
  reply: FormReply,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  await reply.openUpload();
  const { upload, contentLength } = reply;
  if (upload === null) return new Uint8Array();
  if ((contentLength ?? 0) > maxBytes) throw tooLong();
  reply.superviseUpload();
  const timer = setTimeout(() => upload.fail("stalled"), FORM_TIMEOUT_MS);
  const aborted = Promise.withResolvers<never>();
  upload.signal.addEventListener("abort", () => aborted.reject());
  aborted.promise.catch(() => {}); // also if nothing is read any more
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for (;;) {
      const part = await Promise.race([upload.read(), aborted.promise]);
      if (part === null) return await new Blob(parts).bytes();
      length += part.length;
      if (length > maxBytes) throw tooLong();
      parts.push(part.slice()); // a small part may be in much memory
      giveBackBuffer(part);
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    // It is not cancelled here: a read of it may wait (see leaked_sockets.ts).
    const { failedBecause: reason } = upload;
    const code = reason === undefined ? "bad_request" : UPLOAD_ERRORS[reason];
    throw new GatewayError(code, "The form broke off", { cause });
  } finally {
    clearTimeout(timer);
  }
}

function tooLong(): GatewayError {
  return new GatewayError("form_too_long", "More than the page takes");
}

/** A field of a request's form; empty if there is none. Throws as {@linkcode ownForm}. */
export async function ownFormField(
  { reply }: { readonly reply: FormReply },
  name: string,
): Promise<string> {
  const form = await ownForm(reply, MAX_FIELD_BYTES);
  return new URLSearchParams(new TextDecoder().decode(form)).get(name) ?? "";
}
