/** Texts that no page's origin is which may frame a preview. */

const APP = "https://app.example";

// deno-fmt-ignore -- one on each line would be long
const AFTER_IT = [
  " ", "\t", "\r\n", "\n", "\0", "\x01", "\x1f", "\x7f", "\v", "\f", "\u00a0", "\u2028", "\ufeff", "\u200b", "é",
  "/", "//", "/a", "/.", "/..", "/%2e", "?", "?a", "/?#", "?#", "#", "#a", ".", "..", "..example", ".evil.example/",
  ":", ":443", ":0443", ":0", ":00", ":65536", ":99999", ":port", ":*", ":443/", ":8443/a", ".:8443", ":8443:8443",
  ":-1", ":+1", ":1e3", ": 8443", "\\", "@", "@evil.example", ";", ",", ",*", " *", "%", "%00", "%20", "%2f", "%0d%0a",
  "\r\nX-Evil: 1", "\nhttps://evil.example", " https://evil.example", ", https://evil.example", "; script-src *",
  "'", '"', "<", ">", "*", "|", "^", "`", "{", "}", "[", "]", "(", ")", "$", "&", "+", "=", "!", "~",
];

// deno-fmt-ignore -- as above
const SCHEMES = [
  "http", "ws", "wss", "ftp", "file", "data", "blob", "javascript", "about", "chrome-extension", "moz-extension", "HTTPS",
  "Https", "https:", "httpss", "view-source", "filesystem", "capacitor", "ionic", "app", "x", "blob:https",
];

// deno-fmt-ignore -- as above
const HOSTS = [
  "", ".", "..", "*", "*.*", "*.app.example", "app.*", "*app.example", "app.example*", "APP.example", "app.Example",
  "user@app.example", "user:pw@app.example", "@app.example", "bücher.example", "ａpp.example", "app\u3002example",
  "\u202eapp.example", "app\u00ad.example", "app_1.example", "[::1]", "[::1]:8443", "[v1.a]", ".app.example",
  "app..example", "a b.example", "app.example.", "127.1", "0x7f.1", "2130706433", "127.0.0.1.", "app%2eexample",
  "%61pp.example", "app.example%00", "app.example,", "app.example;", "'self'", "'none'", "app.example:443",
  "app.example:00443", "app.example:080",
];

// deno-fmt-ignore -- as above
const LOCAL = [
  "", ":", ":80", ":0", ":*", ":03000", ":3000/", ":3000#a", ":3000?", ":3000 ", ":65536", ".:3000",
].map((end) => `http://localhost${end}`);

// deno-fmt-ignore -- as above
const OTHERS = [
  "http://a.localhost", "http://.localhost:3000", "http://*.localhost:3000", "http://LOCALHOST:3000",
  "http://user@localhost:3000", "http://evil-localhost:3000", "http://localhost.example:3000", "http://127.0.0.1:3000",
  "http://[::1]:3000", "http://0.0.0.0:3000", "http://192.168.0.1:3000", "http://host.docker.internal:3000",
  "http://app.example:3000", "http://local:3000", "", " ", "\0", "null", "undefined", "*", "'self'", "'none'", "self",
  "app.example", "//app.example", "/", "https", "https:", "https:/", "https://", "://a", "https:app.example",
  "https:/app.example", "https:///app.example", "https:\\\\app.example", "https://https://app.example", "about:blank",
  "about:srcdoc", ` ${APP}`, `\n${APP}`, `${APP} ${APP}`, `${APP},${APP}`,
];

/** All of them. */
export const ODD_ORIGINS: readonly string[] = [
  ...AFTER_IT.map((end) => APP + end),
  ...SCHEMES.map((scheme) => `${scheme}://app.example`),
  ...HOSTS.map((host) => `https://${host}`),
  ...LOCAL,
  ...OTHERS,
];
