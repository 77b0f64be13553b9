/**
 * A page as a dev server sends it: 300 modules of 2 to 40 KiB that import each other, 20 images, and three WebSockets.
 * It is interactive once all modules have run and all WebSockets have answered.
 */

/** The modules, the entry included. */
export const MODULES = 300;
export const IMAGES = 20;
export const SOCKETS = 3;

/** The modules that each one imports, so that the last ones are known after four others have been read. */
const IMPORTS = 4;

const MIN_BYTES = 2 * 1024;
const MAX_BYTES = 40 * 1024;
/** Multiples of it, modulo 1, spread evenly. */
const GOLDEN = 0.618034;

const IMAGE_WIDTH = 100;
const MIN_HEIGHT = 20;
const MORE_HEIGHT = 7;

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();

/** All files, by path. */
export function pageFiles(): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  function add(path: string, type: string, body: Uint8Array<ArrayBuffer>) {
    files.set(path, { type, body });
  }
  add("/", "text/html", encoder.encode(HTML));
  add("/main.js", "text/javascript", encoder.encode(MAIN));
  for (let index = 0; index < MODULES - 1; index++) {
    add(`/module-${index}.js`, "text/javascript", moduleOf(index));
  }
  for (let index = 0; index < IMAGES; index++) {
    const height = MIN_HEIGHT + index * MORE_HEIGHT;
    add(`/image-${index}.bmp`, "image/bmp", bitmap(IMAGE_WIDTH, height));
  }
  return files;
}

const IMAGE_TAGS = Array.from(
  { length: IMAGES },
  (_, index) => `<img alt="" src="/image-${index}.bmp">`,
).join("\n");

const HTML = `<!doctype html>
<title>Page</title>
<script>performance.setResourceTimingBufferSize(1000); // more than the default of 250</script>
<script type="module" src="/main.js"></script>
${IMAGE_TAGS}
`;

/** Its imports have run before it, as a module's always have. */
const MAIN = `import "/module-0.js";
globalThis.modulesRun++;
const answers = Array.from({ length: ${SOCKETS} }, () => new Promise((resolve, reject) => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
  socket.onopen = () => socket.send("ready?");
  socket.onmessage = resolve;
  socket.onerror = () => reject(new Error("A WebSocket has failed"));
}));
globalThis.interactive = Promise.all(answers).then(() => performance.now());
`;

/** The length of a module, bytes: there are as many between 2 and 4 KiB as between 20 and 40. */
export function moduleBytes(index: number): number {
  const place = index * GOLDEN % 1;
  return Math.round(MIN_BYTES * (MAX_BYTES / MIN_BYTES) ** place);
}

function moduleOf(index: number): Uint8Array<ArrayBuffer> {
  const imported = Array.from(
    { length: IMPORTS },
    (_, child) => IMPORTS * index + child + 1,
  ).filter((child) => child < MODULES - 1);
  let text = imported.map((child) => `import "/module-${child}.js";\n`)
    .join("");
  text += "globalThis.modulesRun = (globalThis.modulesRun ?? 0) + 1;\n";
  const size = moduleBytes(index);
  for (let part = 0; text.length < size; part++) {
    text += `export function part${part}(value) { return value + ${part}; }\n`;
  }
  return encoder.encode(text);
}

const BITMAP_HEAD = 54;
const PIXEL_BITS = 24;

/** A grey picture without compression, as BMP files are. */
function bitmap(width: number, height: number): Uint8Array<ArrayBuffer> {
  const rowBytes = Math.ceil(width * PIXEL_BITS / 32) * 4;
  const size = BITMAP_HEAD + rowBytes * height;
  const bytes = new Uint8Array(size).fill(0x80);
  const head = new DataView(bytes.buffer);
  bytes.fill(0, 0, BITMAP_HEAD);
  bytes.set(encoder.encode("BM"));
  head.setUint32(2, size, true);
  head.setUint32(10, BITMAP_HEAD, true);
  head.setUint32(14, BITMAP_HEAD - 14, true);
  head.setInt32(18, width, true);
  head.setInt32(22, height, true);
  head.setUint16(26, 1, true);
  head.setUint16(28, PIXEL_BITS, true);
  return bytes;
}
