/** Why the gateway is behind in a scenario, for docs/performance.md: one sentence each, in Markdown. */
export const REASONS: Readonly<Record<string, string>> = {
  public:
    "`Deno.serve` and an HTTP/1.1 client alone take most of the time; nginx asks nobody and writes head and body at once.",
  private: "A session cookie is 350 bytes to search, open and look up.",
  "body-64k": "The fetch proxy passes one native stream to the other.",
  "body-256k": "As above.",
  "body-1m": "Longer bodies are streamed through JavaScript.",
  "chunked-64k": "JavaScript decodes each chunk.",
  "chunked-1m": "As above.",
  "upload-64k": "The fetch proxy passes one native stream to the other.",
  "upload-1m": "As above.",
  "upload-chunked-64k":
    "Chunks are read in small pieces, so that tiny ones cannot keep others waiting.",
  "upload-chunked-1m": "As above.",
  "tls-http1":
    "`node:tls` hands bytes to `Deno.serve` over a second connection.",
  "tls-http1-64k": "As above: each response is written and read once more.",
  "tls-http2": "As above.",
  "tls-http2-64k": "As above.",
  download: "The fetch proxy passes one native stream to the other.",
  upload: "As above.",
  "echo-128":
    "Each message is counted against limits that a relay does not have.",
  tunnels: "Runs vary by 3 KiB, with what V8 has not collected yet.",
  "burst-one": "A thousand connections open at once, and wait for the API.",
  "burst-many":
    "Two questions to the API for each sandbox, each on a connection of its own; the proxies beside it ask nothing.",
};
