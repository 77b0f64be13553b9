import assert from "node:assert/strict";
import { KeptDocuments } from "../../../src/control/kept_documents.ts";

const TEXT = "a document, ".repeat(1000);

async function unzipped(response: Response): Promise<string> {
  const body = response.body ?? assert.fail();
  const plain = body.pipeThrough(new DecompressionStream("gzip"));
  return await new Response(plain).text();
}

function setUp() {
  let made = 0;
  const documents = new KeptDocuments();
  function ask(
    acceptEncoding: string | null,
    { key = "document", mayCompress = true } = {},
  ): Response {
    return documents.answer({
      key,
      acceptEncoding,
      mayCompress,
      make() {
        made++;
        return TEXT;
      },
    }, { "content-type": "text/plain", vary: "Cookie" });
  }
  return { ask, made: () => made };
}

Deno.test("KeptDocuments makes each document once, and has it in gzip for who takes that", async () => {
  const { ask, made } = setUp();
  for (
    const [accepted, isGzip] of [
      [null, false],
      ["gzip, deflate, br, zstd", true],
      ["br;q=1.0, GZIP;q=0.5", true],
      ["gzip;q=0, br", false],
      ["gzip; q=0.000", false],
      ["gzip;q=0.001", true],
      ["x-gzip-not, identity", false],
      ["*", false],
      ["", false],
    ] as const
  ) {
    const response = ask(accepted);
    const { headers } = response;
    assert.equal(headers.get("vary"), "Cookie, Accept-Encoding");
    assert.equal(headers.get("content-type"), "text/plain");
    const coding = headers.get("content-encoding");
    assert.equal(coding, isGzip ? "gzip" : null, `${accepted}`);
    const text = isGzip ? await unzipped(response) : await response.text();
    assert.equal(text, TEXT);
  }
  assert.equal(made(), 1);
});

Deno.test("KeptDocuments compresses nothing that is changed on its way out", async () => {
  const response = setUp().ask("gzip", { mayCompress: false });
  assert.equal(response.headers.get("content-encoding"), null);
  assert.equal(await response.text(), TEXT);
});

Deno.test("KeptDocuments keeps few documents, the latest that were asked for", () => {
  const { ask, made } = setUp();
  for (let port = 0; port < 1000; port++) {
    ask(null, { key: `docs p.test:${port}` });
    ask(null, { key: "docs p.test" });
  }
  assert.equal(made(), 1001);
});
