/**
 * Documents that are the same for everybody at a host, made once: the description of 78 KB takes longer to serialize than
 * a hundred requests for it take otherwise.
 */
import { gzipSync } from "node:zlib";
import { Lru } from "../lib/lru.ts";

/** Most documents kept: a few for each base domain. */
const MAX_KEPT = 16;

/** What is asked for. */
interface Asked {
  /** The document and, if it differs by that, the host. */
  readonly key: string;
  readonly acceptEncoding: string | null;
  /** False for what is changed on its way out. */
  readonly mayCompress: boolean;
  make(): string;
}

interface Kept {
  readonly plain: Uint8Array<ArrayBuffer>;
  gzip: Uint8Array<ArrayBuffer> | undefined;
}

/** The documents of one gateway. */
export class KeptDocuments {
  readonly #kept = new Lru<string, Kept>({ max: MAX_KEPT });

  /** The response with a document, in gzip for who takes that; `headers` have its type and a Vary. */
  answer(
    { key, acceptEncoding, mayCompress, make }: Asked,
    headers: Readonly<Record<string, string>> & { readonly vary: string },
  ): Response {
    const kept = this.#kept.get(key) ??
      { plain: new TextEncoder().encode(make()), gzip: undefined };
    this.#kept.set(key, kept);
    const all: Record<string, string> = {
      ...headers,
      vary: `${headers.vary}, Accept-Encoding`,
    };
    if (!mayCompress || !takesGzip(acceptEncoding)) {
      return new Response(kept.plain, { headers: all });
    }
    kept.gzip ??= new Uint8Array(gzipSync(kept.plain));
    all["content-encoding"] = "gzip";
    return new Response(kept.gzip, { headers: all });
  }
}

/** True if a client takes gzip (Accept-Encoding, RFC 9110 section 12.5.3); one that names only `*` gets it plain. */
function takesGzip(accepted: string | null): boolean {
  return (accepted ?? "").slice(0, 500).toLowerCase().split(",").some(
    (item) => {
      const [name, weight = ""] = item.split(";").map((part) => part.trim());
      return name === "gzip" && !/^q=0(?:\.0*)?$/.test(weight);
    },
  );
}
