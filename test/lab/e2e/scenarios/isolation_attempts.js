/**
 * Attempts of a page on another host, run by that page: each attempt gets a URL there, and resolves to whatever it
 * could read. `home` is the result on a page of the same sandbox: it `reads` the response, the request only `arrives`,
 * or `nothing` does.
 */
export const attempts = [
  {
    name: "a fetch with credentials",
    home: "reads",
    run: (url) => text(url, { credentials: "include" }),
  },
  {
    name: "a fetch with credentials from an app that lets every origin read",
    home: "reads",
    run: (url) => text(`${url}&generous`, { credentials: "include" }),
  },
  {
    name: "a fetch without CORS",
    home: "arrives",
    run: (url) => text(url, { credentials: "include", mode: "no-cors" }),
  },
  {
    name: "a fetch without CORS and without a Referer",
    home: "nothing",
    run: (url) =>
      text(url, {
        credentials: "include",
        mode: "no-cors",
        referrerPolicy: "no-referrer",
      }),
  },
  {
    name: "a fetch that asks for a page, as a navigation does",
    home: "arrives",
    run: (url) =>
      text(url, {
        credentials: "include",
        mode: "no-cors",
        headers: { accept: "text/html" },
      }),
  },
  {
    name: "a POST as forms send it",
    home: "reads",
    run: (url) =>
      text(url, {
        method: "POST",
        credentials: "include",
        body: new URLSearchParams({ transfer: "everything" }),
      }),
  },
  {
    name: "a POST without CORS",
    home: "arrives",
    run: (url) =>
      text(url, {
        method: "POST",
        credentials: "include",
        mode: "no-cors",
        body: "write",
      }),
  },
  {
    name: "a PUT, which a preflight comes before",
    home: "reads",
    run: (url) =>
      text(url, { method: "PUT", credentials: "include", body: "write" }),
  },
  {
    name: "a DELETE with a header of its own",
    home: "reads",
    run: (url) =>
      text(url, {
        method: "DELETE",
        credentials: "include",
        headers: { "x-requested-with": "page" },
      }),
  },
  {
    name: "an XMLHttpRequest",
    home: "reads",
    run: (url) => {
      const request = new XMLHttpRequest();
      request.open("POST", url);
      request.withCredentials = true;
      const loaded = first(request, "load");
      request.send("write");
      return loaded.then(() => request.responseText);
    },
  },
  {
    name: "a beacon",
    home: "arrives",
    run: async (url) => {
      navigator.sendBeacon(url, "write");
      while (performance.getEntriesByName(url).length === 0) await aMoment();
      return "answered";
    },
  },
  {
    name: "a form in a window of its own",
    home: "arrives",
    opensWindow: true,
    run: (url) => sendForm(url, "_blank"),
  },
  {
    name: "a form in a frame",
    home: "arrives",
    run: async (url) => {
      const frame = element("iframe", { name: "form-frame" });
      document.body.append(frame);
      const loaded = first(frame, "load");
      sendForm(url, "form-frame");
      await loaded;
      return documentOf(frame);
    },
  },
  {
    name: "an image",
    home: "arrives",
    run: (url) => include(element("img", { src: url })),
  },
  {
    name: "a video",
    home: "arrives",
    run: (url) =>
      include(element("video", { src: url })).catch(() => "no video"),
  },
  {
    name: "a script",
    home: "reads",
    run: async (url) => {
      await include(element("script", { src: url }));
      return globalThis.stolen;
    },
  },
  {
    name: "a style sheet",
    home: "reads",
    run: async (url) => {
      await include(element("link", { rel: "stylesheet", href: url }));
      return getComputedStyle(document.documentElement)
        .getPropertyValue("--stolen");
    },
  },
  {
    name: "a preload",
    home: "arrives",
    run: (url) =>
      include(element("link", { rel: "preload", as: "image", href: url })),
  },
  {
    name: "an event stream",
    home: "reads",
    run: (url) => {
      const events = new EventSource(url, { withCredentials: true });
      return first(events, "message").then(({ data }) => data)
        .finally(() => events.close());
    },
  },
  {
    name: "a WebSocket",
    home: "reads",
    run: (url) => {
      const socket = new WebSocket(url.replace(/^http/, "ws"));
      return first(socket, "message").then(({ data }) => data)
        .finally(() => socket.close());
    },
  },
  {
    name: "a frame's document",
    home: "arrives",
    run: (url) => loadFrame("iframe", { src: url }),
  },
  {
    name: "the document of a frame without a Referer",
    home: "nothing",
    run: (url) =>
      loadFrame("iframe", { src: url, referrerPolicy: "no-referrer" }),
  },
  {
    name: "the document of a frame within a frame",
    home: "arrives",
    run: (url) =>
      loadFrame("iframe", {
        srcdoc: `<iframe src="${url}"></iframe>`,
      }),
  },
  {
    name: "the document of a frame in a sandbox of the browser's",
    home: "arrives",
    run: (url) => loadFrame("iframe", { src: url, sandbox: "allow-scripts" }),
  },
  {
    name: "an object's document",
    home: "arrives",
    run: (url) => loadFrame("object", { data: url, type: "text/html" }),
  },
  {
    name: "an embedded document",
    home: "arrives",
    run: (url) => loadFrame("embed", { src: url, type: "text/html" }),
  },
  {
    name: "a window's document",
    home: "nothing",
    navigates: true,
    opensWindow: true,
    run: async (url) => {
      const opened = open(url);
      while (isReadable(opened)) await aMoment();
      return opened.document.body.textContent;
    },
  },
  {
    name: "a service worker for the other host",
    home: "nothing",
    run: (url) => navigator.serviceWorker.register(url),
  },
  {
    name: "a service worker of this host with the other one's scope",
    home: "nothing",
    run: (url) =>
      navigator.serviceWorker.register("/worker.js", { scope: url }),
  },
  {
    name: "a worker",
    home: "nothing",
    run: (url) => first(new Worker(url), "message"),
  },
];

function aMoment() {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

async function text(url, options) {
  return await (await fetch(url, options)).text();
}

function element(name, attributes) {
  return Object.assign(document.createElement(name), attributes);
}

/** Resolves to the event, or rejects if there is an error event instead. */
function first(target, type) {
  return new Promise((resolve, reject) => {
    target.addEventListener(type, resolve);
    target.addEventListener("error", () => reject(new Error("error event")));
  });
}

async function include(part) {
  const loaded = first(part, "load");
  document.head.append(part);
  await loaded;
  return "loaded";
}

async function loadFrame(name, attributes) {
  const frame = element(name, attributes);
  const loaded = first(frame, "load");
  document.body.append(frame);
  await loaded;
  return documentOf(frame);
}

function documentOf({ contentDocument }) {
  return contentDocument?.documentElement.outerHTML ?? "no document";
}

/** True if a window still has its initial empty document. */
function isReadable({ location }) {
  try {
    return location.href === "about:blank";
  } catch {
    return false;
  }
}

function sendForm(url, target) {
  const form = element("form", { method: "post", action: url, target });
  form.append(element("input", { name: "transfer", value: "everything" }));
  document.body.append(form);
  form.submit();
}
