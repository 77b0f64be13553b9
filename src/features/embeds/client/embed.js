/**
 * Previews of Porthole in a page: see embed.d.ts.
 * @import { FrameMessage, StateMessage } from "./embed.js"
 */

const ALLOW = "clipboard-write; cross-origin-isolated; fullscreen";
// The app may not lead the page around it elsewhere.
const SANDBOX = "allow-downloads allow-forms allow-modals allow-pointer-lock " +
  "allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts";

const RENEWAL_MS = 10_000;
const SILENCE_MS = 40_000; // it speaks every 15 s
const MIN_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

/** @type {typeof import("./embed.js").mount} */
export function mount(element, options) {
  const { url, title = "Preview", allow = ALLOW, sandbox = SANDBOX } = options;
  let { path = "/", stateToken } = options;
  const { origin } = new URL(url);
  const { ownerDocument } = element;
  const view = /** @type {typeof globalThis} */ (ownerDocument.defaultView);
  const end = new AbortController();
  let told = "";
  let isOpen = false;
  let timer = 0;

  /**
   * @param {Partial<HTMLIFrameElement>} properties
   * @param {(message: any) => void} hear
   * @param {AbortSignal} signal
   */
  function addFrame(properties, hear, signal) {
    const frame = ownerDocument.createElement("iframe");
    if (sandbox !== null) frame.setAttribute("sandbox", sandbox);
    // The gateway has to learn whose page this is.
    Object.assign(frame, { referrerPolicy: "strict-origin", ...properties });
    view.addEventListener("message", (event) => {
      const { data, source } = event;
      if (!source || source !== frame.contentWindow) return;
      if (event.origin !== origin || data?.source !== "porthole") return;
      if (data.v === 1) hear(data);
    }, { signal });
    element.append(frame);
    return frame;
  }

  /** @param {StateMessage} message */
  function tell(message) {
    const { state, code } = message;
    if (told === `${state} ${code}`) return;
    told = `${state} ${code}`;
    // What it throws is no failure of the connection.
    queueMicrotask(() => options.onState?.(message));
  }

  /** @param {FrameMessage} message */
  function hear(message) {
    const { onNavigate, onError, onConsole } = options;
    if (message.type === "state") {
      isOpen = message.state !== "refused";
      tell(message);
    } else if (message.type === "navigation") {
      path = message.path;
      onNavigate?.(message);
    } else if (message.type === "error") onError?.(message);
    else if (message.type === "console") onConsole?.(message);
  }

  /**
   * An EventSource sends no Authorization.
   * @param {string} stateUrl
   */
  async function follow(stateUrl) {
    for (let pause = MIN_PAUSE_MS;; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      try {
        const authorization = `Bearer ${stateToken}`;
        const { status, body } = await view.fetch(stateUrl, {
          headers: { accept: "text/event-stream", authorization },
          signal: end.signal,
        });
        if (status === 401) {
          return tell({ state: "ended", code: "grant_invalid" });
        }
        if (status === 200 && body) {
          for await (const text of eventsIn(body.getReader(), view)) {
            const message = JSON.parse(text);
            pause = MIN_PAUSE_MS;
            // It knows nothing of this frame.
            if (isOpen || message.state === "ended") tell(message);
            if (message.state === "ended") return;
          }
        }
      } catch {
        // Again.
      }
      if (end.signal.aborted) return;
      await new Promise((resolve) => {
        timer = view.setTimeout(resolve, pause * (1 + Math.random()));
      });
    }
  }

  /** @param {string} to */
  function urlOf(to) {
    if (!to.startsWith("/")) throw new TypeError(`Not a path: ${to}`);
    return origin + to;
  }

  const iframe = addFrame({ title, allow, src: url }, hear, end.signal);
  iframe.style.cssText = "border:0;width:100%;height:100%";
  if (options.stateUrl && stateToken) follow(options.stateUrl);

  return {
    iframe,
    navigate(to) {
      iframe.src = urlOf(to);
    },
    reload() {
      const src = urlOf(path);
      iframe.remove(); // or a fragment would only be scrolled to
      element.append(Object.assign(iframe, { src }));
      isOpen = true;
    },
    renew: (url, newToken = stateToken) =>
      new Promise((resolve, reject) => {
        end.signal.throwIfAborted();
        const over = new AbortController();
        /** @param {string} [failure] */
        function settle(failure) {
          over.abort();
          view.clearTimeout(limit);
          frame.remove();
          if (failure) return reject(new Error(`Cannot renew: ${failure}`));
          stateToken = newToken;
          resolve();
        }
        const { signal } = over;
        const frame = addFrame({ src: `${url}&stay` }, (message) => {
          const { type, state, code } = message;
          if (type === "renewed") settle();
          else if (/refused|ended/.test(state)) settle(`${state}, ${code}`);
        }, signal);
        frame.style.display = "none";
        const limit = view.setTimeout(settle, RENEWAL_MS, "no answer");
        const unmounted = () => settle("unmounted");
        end.signal.addEventListener("abort", unmounted, { signal });
      }),
    unmount() {
      end.abort();
      view.clearTimeout(timer);
      iframe.remove();
    },
  };
}

/**
 * The data of each event.
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {typeof globalThis} view
 */
async function* eventsIn(reader, view) {
  const decoder = new TextDecoder();
  for (let rest = "";;) {
    const timer = view.setTimeout(() => reader.cancel(), SILENCE_MS);
    const { value, done } = await reader.read()
      .finally(() => view.clearTimeout(timer));
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop() ?? "";
    for (const event of events) {
      const lines = event.matchAll(/^data:([^\r\n]*)/gm);
      const data = Array.from(lines, ([, line]) => line).join("\n");
      if (data) yield data;
    }
  }
}
