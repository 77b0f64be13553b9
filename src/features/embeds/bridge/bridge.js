// Tells the page around a frame what the app does, which must not notice.
(() => {
  const script = document.currentScript;
  script.remove(); // frameworks compare what they find
  const outer = parent;
  if (outer === self) return;
  const told = JSON.parse(script.dataset.porthole);
  // To others, it would be an error in the browser's console.
  const around = location.ancestorOrigins?.[0];
  const heard = told.ancestors.filter((one) => one === (around ?? one));
  // Zone.js and tests replace these.
  const later = queueMicrotask;
  const wait = setTimeout;
  const now = performance.now.bind(performance);
  const cut = (text) => String(text).slice(0, 2048);
  let left; // for huge or cyclic values

  function show(value, depth = 0) {
    if (left-- < 0) return "...";
    if (Object(value) !== value) return cut(value);
    if (value instanceof Error) {
      return `${value}\n${String(value.stack ?? "").replace(value, "")}`;
    }
    const tag = ({}).toString.call(value).slice(8, -1);
    if (depth > 2 || value.length > 999) return tag;
    const shown = Object.keys(value).slice(0, 20).map((name) => {
      const own = Object.getOwnPropertyDescriptor(value, name);
      return `${name}: ${own.get ? "getter" : show(own.value, depth + 1)}`;
    });
    return `${tag} {${shown}}`;
  }

  function line(args) {
    left = 99;
    const next = () => show(args.shift());
    let text = next().replace(/%[sdifoOc]/g, (mark) => {
      const value = args.length > 0 ? next() : mark;
      return mark === "%c" ? "" : value;
    });
    while (args.length > 0) text += ` ${next()}`;
    return cut(text);
  }

  function tell(type, read) {
    try {
      const message = { source: "porthole", v: 1, type, ...read() };
      heard.forEach((one) => outer.postMessage(message, one));
    } catch {
      // What throws is not told.
    }
  }

  function perSecond(most) {
    const times = Array(most).fill(-1000);
    return () => now() - times[0] >= 1000 && times.push(now()) && times.shift();
  }

  // The app gets what `seen` returns.
  function observe(object, name, seen) {
    object[name] = new Proxy(object[name], {
      apply: (of, self, args) => seen(Reflect.apply(of, self, args), args),
    });
  }

  if (told.console) {
    const may = perSecond(30);
    for (const level of ["log", "info", "warn", "error", "debug"]) {
      observe(console, level, (result, args) => {
        const read = () => ({ level, text: line(args) });
        // Proxies notice readers.
        if (args.length > 0 && may()) later(() => tell("console", read));
        return result;
      });
    }
  }

  if (told.errors) {
    const may = perSecond(10);
    const fail = (kind, read) =>
      may() && tell("error", () => ({ kind, message: line(read()) }));
    addEventListener("error", (event) => {
      fail("error", () => [
        event.error ?? event.message ?? "Cannot load",
        (event.filename ?? event.target.src ?? event.target.href).trim(),
      ]);
    }, true);
    addEventListener("unhandledrejection", (event) => {
      fail("rejection", () => [event.reason]);
    });
    observe(self, "fetch", async (answer, [input]) => {
      try {
        const { status, url } = await answer;
        if (status >= 400) fail("fetch", () => [status, url]);
      } catch (error) {
        if (error?.name !== "AbortError") {
          fail("fetch", () => [error, input.url ?? String(input)]);
        }
      }
      return answer; // a failure stays the app's to handle
    });
  }

  if (told.navigation) {
    let isDue = false;
    const arrive = () => {
      isDue = false;
      const { pathname, search, hash } = location;
      tell("navigation", () => ({ path: cut(pathname + search + hash) }));
    };
    const move = (result) => {
      if (!isDue) wait(arrive, 150);
      isDue = true;
      return result;
    };
    observe(History.prototype, "pushState", move);
    observe(History.prototype, "replaceState", move);
    for (const type of ["popstate", "hashchange", "pageshow"]) {
      addEventListener(type, move);
    }
    arrive();
  }
})();
