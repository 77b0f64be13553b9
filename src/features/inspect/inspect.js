// The owner's view, in the browser. Everything about an exchange may be the work of somebody hostile, so it becomes text
// and nothing else: never HTML, an attribute's code, or a link.
(() => {
  const MAX_ROWS = 500;
  const MAX_PORTS = 100; // whoever asks for a port is shown, so there may be all of them
  const sandbox = location.pathname.split("/")[2];
  const byId = (id) => document.getElementById(id);
  const rows = byId("rows");
  const COLUMNS = [...document.querySelectorAll("thead th")]
    .map(({ textContent }) => textContent);
  const entries = new Map(); // by request ID, oldest first
  const changed = new Set();
  const held = []; // what came while paused
  let heldCount = 0;
  let isPaused = false;
  let missed = 0;
  let told = 0; // the number of those that the page says
  let shown; // the ID in the details

  /** No text may move a cursor, or turn the direction of what follows. */
  const clean = (text) =>
    String(text).replace(
      // deno-lint-ignore no-control-regex
      /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
      "\ufffd",
    );

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = clean(text);
    if (className !== undefined) made.className = className;
    return made;
  }

  const state = (text) => byId("state").textContent = text;
  const originOf = ({ port, name }) =>
    `${location.protocol}//${name ?? `${port}-${sandbox}.${location.host}`}`;
  const ms = (value) => value === undefined ? "…" : `${value} ms`;

  function bytes(value) {
    if (value < 1000) return `${value} B`;
    return value < 1e6
      ? `${(value / 1e3).toFixed(1)} kB`
      : `${(value / 1e6).toFixed(1)} MB`;
  }

  function outcome({ error, explanation, end, reason, tunnel, isOpen }) {
    if (error !== undefined) return `${error}: ${explanation ?? ""}`;
    if (tunnel !== undefined) {
      return `closed by ${tunnel.by} with ${tunnel.code}` +
        (reason === undefined ? "" : `: ${reason}`);
    }
    if (isOpen) return "open";
    if (end === "complete") return "";
    return end + (reason === undefined ? "" : `: ${reason}`);
  }

  function fits(entry) {
    const port = byId("port").value;
    const status = byId("status").value;
    const text = byId("text").value;
    return (port === "" || String(entry.port) === port) &&
      (status === "" ||
        (status === "gateway"
          ? entry.error !== undefined
          : String(entry.status)[0] === status)) &&
      (text === "" || entry.target.includes(text));
  }

  function fill(row, entry) {
    const { tunnel } = entry;
    const open = element("button", `${entry.method} ${entry.target}`);
    open.type = "button";
    open.addEventListener("click", () => showDetails(entry.id, true));
    const target = element("td");
    target.append(open);
    const status = element("td", entry.status, "number status-cell");
    if (entry.error !== undefined) status.append(element("small", "gateway"));
    const kind = Math.floor(entry.status / 100);
    row.className = kind > 3 ? `failed-${kind}` : "";
    row.replaceChildren(
      element("td", new Date(entry.startedAt).toLocaleTimeString(), "number"),
      element("td", entry.port, "number"),
      target,
      status,
      element("td", ms(entry.totalMs ?? entry.waitMs), "number"),
      element(
        "td",
        `${bytes(tunnel?.bytesReceived ?? entry.sentBytes)} ↓ ${
          bytes(tunnel?.bytesSent ?? entry.receivedBytes)
        } ↑`,
        "number",
      ),
      element("td", outcome(entry)),
    );
    [...row.children].forEach((cell, nth) => cell.dataset.label = COLUMNS[nth]);
    row.hidden = !fits(entry);
    mark(row, entry.id === shown);
  }

  function mark(row, isChosen) {
    if (isChosen) row?.setAttribute("aria-current", "true");
    else row?.removeAttribute("aria-current");
  }

  /** Puts a row where its request began: the latest comes first, whichever ends first. */
  function place(row, startedAt) {
    row.startedAt = startedAt;
    let next = rows.firstElementChild;
    while (next !== null && next.startedAt > startedAt) {
      next = next.nextElementSibling;
    }
    rows.insertBefore(row, next);
  }

  function addPort(port) {
    const select = byId("port");
    if (select.options.length > MAX_PORTS) return;
    if ([...select.options].some(({ value }) => value === String(port))) return;
    const option = element("option", port);
    option.value = String(port);
    select.append(option);
  }

  /** Shows what has come since the last frame. */
  function flush() {
    for (const id of changed) {
      const entry = entries.get(id);
      if (entry === undefined) continue;
      if (entry.row === undefined) {
        entry.row = document.createElement("tr");
        place(entry.row, entry.startedAt);
        addPort(entry.port);
      }
      fill(entry.row, entry);
      if (id === shown) showDetails(id, false);
    }
    changed.clear();
    update();
  }

  function update() {
    const seen = [...entries.values()].some(({ row }) => row && !row.hidden);
    byId("empty").hidden = seen;
    byId("missed").hidden = missed === 0;
    // Written again, it would be read out again.
    if (missed !== told) byId("missed").textContent = sampleNote();
    told = missed;
  }

  /** What is said of requests that are only counted. */
  const sampleNote = () =>
    `${missed.toLocaleString()} more requests were not shown: they came faster than this page shows them. What is shown is a sample.`;

  function take(exchange) {
    const known = entries.get(exchange.id);
    entries.set(exchange.id, { ...known, ...exchange });
    if (entries.size > MAX_ROWS) {
      const [oldest] = entries.keys();
      entries.get(oldest).row?.remove();
      entries.delete(oldest);
    }
    if (changed.size === 0) setTimeout(flush, 100);
    changed.add(exchange.id);
  }

  function addFacts(list, facts) {
    for (const [name, value] of facts) {
      if (value === undefined) continue;
      list.append(element("dt", name), element("dd", value));
    }
  }

  const lines = (headers) =>
    headers.map(([name, value]) => `${name}: ${value}`).map(clean).join("\n");

  function showDetails(id, hasFocus) {
    const entry = entries.get(id);
    if (entry === undefined) return;
    mark(entries.get(shown)?.row, false);
    shown = id;
    mark(entry.row, true);
    const { tunnel } = entry;
    byId("details-title").textContent = clean(
      `${entry.method} ${entry.target}`,
    );
    const facts = byId("facts");
    facts.replaceChildren();
    addFacts(facts, [
      ["Name", entry.name],
      ["Status", entry.status],
      ["Error", entry.error],
      ["Meaning", entry.explanation],
      ["End", entry.isOpen ? "still open" : entry.end],
      ["Reason", entry.reason],
      ["Admitted by", entry.by],
      ["First byte after", ms(entry.waitMs)],
      ["Ended after", ms(entry.totalMs)],
      [
        "WebSocket",
        tunnel &&
        `closed by ${tunnel.by} with ${tunnel.code}; ${tunnel.messagesSent} messages to the app, ${tunnel.messagesReceived} from it`,
      ],
      ["Request ID", entry.id],
    ]);
    byId("request-head").textContent = lines(entry.requestHeaders);
    byId("response-head").textContent = lines(entry.responseHeaders);
    byId("curl").textContent = curlOf({
      method: entry.method,
      headers: entry.requestHeaders,
      url: originOf(entry) + entry.target,
    });
    const leftOut = clean(
      leftOutOf({
        headers: entry.requestHeaders,
        receivedBytes: entry.receivedBytes,
      }),
    );
    byId("left-out").textContent = `Left out: ${leftOut}.`;
    byId("left-out").hidden = leftOut === "";
    byId("copied").textContent = "";
    byId("details").hidden = false;
    if (hasFocus) byId("details-title").focus();
  }

  const contentType = (headers) =>
    headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";

  const harHeaders = (headers) =>
    headers.map(([name, value]) => ({ name, value }));

  /** An entry of an HTTP Archive 1.2. */
  function harEntry(entry) {
    const query = entry.target.split("?").slice(1).join("?");
    const wait = entry.waitMs;
    const total = entry.totalMs ?? wait;
    return {
      startedDateTime: new Date(entry.startedAt).toISOString(),
      time: total,
      request: {
        method: entry.method,
        url: originOf(entry) + entry.target,
        httpVersion: "HTTP/1.1",
        cookies: [],
        headers: harHeaders(entry.requestHeaders),
        queryString: query === "" ? [] : query.split("&").map((pair) => {
          const [name, ...value] = pair.split("=");
          return { name, value: value.join("=") };
        }),
        headersSize: -1,
        bodySize: entry.receivedBytes,
      },
      response: {
        status: entry.status,
        statusText: "",
        httpVersion: "HTTP/1.1",
        cookies: [],
        headers: harHeaders(entry.responseHeaders),
        content: {
          size: entry.sentBytes,
          mimeType: contentType(entry.responseHeaders),
        },
        redirectURL: "",
        headersSize: -1,
        bodySize: entry.sentBytes,
      },
      cache: {},
      timings: { send: 0, wait, receive: Math.max(0, total - wait) },
      comment: outcome(entry),
    };
  }

  function downloadHar() {
    const log = {
      version: "1.2",
      creator: { name: "Porthole", version: "1" },
      entries: [...entries.values()].filter(fits).map(harEntry),
      comment: missed === 0 ? undefined : sampleNote(),
    };
    const blob = new Blob([JSON.stringify({ log }, null, 2)], {
      type: "application/json",
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${sandbox}.har`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function copyCurl() {
    try {
      await navigator.clipboard.writeText(byId("curl").textContent);
      byId("copied").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(byId("curl"));
      byId("copied").textContent =
        "Your browser does not let this page copy: the command is selected.";
    }
  }

  /** Keeps what comes while paused, as much as is shown, and says how much that is. */
  function hold(exchange) {
    if (!held.some(({ id }) => id === exchange.id)) heldCount++;
    held.push(exchange);
    if (held.length > MAX_ROWS) held.shift();
    tellPause();
  }

  function tellPause() {
    byId("pause").textContent = !isPaused
      ? "Pause"
      : heldCount === 0
      ? "Resume"
      : `Resume: ${heldCount.toLocaleString()} more`;
  }

  function connect() {
    const source = new EventSource(`${location.pathname}/events`);
    source.addEventListener("watching", () => {
      state("Watching. Requests appear here as they end.");
    });
    source.addEventListener("exchange", ({ data }) => {
      if (isPaused) hold(JSON.parse(data));
      else take(JSON.parse(data));
    });
    source.addEventListener("missed", ({ data }) => {
      missed += JSON.parse(data).count;
      update();
    });
    source.addEventListener("error", () => {
      state(
        source.readyState === EventSource.CLOSED
          ? "Not watching: your access has ended, or too many watch. Load this page again."
          : "Not watching: the connection broke. Trying again.",
      );
    });
  }

  for (const id of ["port", "status", "text"]) {
    byId(id).addEventListener("input", () => {
      for (const entry of entries.values()) {
        if (entry.row) entry.row.hidden = !fits(entry);
      }
      update();
    });
  }
  byId("pause").addEventListener("click", () => {
    isPaused = !isPaused;
    if (!isPaused) {
      held.splice(0).forEach(take);
      heldCount = 0;
    }
    tellPause();
  });
  byId("clear").addEventListener("click", () => {
    entries.clear();
    changed.clear();
    rows.replaceChildren();
    held.length = heldCount = missed = 0;
    tellPause();
    byId("details").hidden = true;
    update();
  });
  byId("har").addEventListener("click", downloadHar);
  byId("copy").addEventListener("click", copyCurl);
  byId("close").addEventListener("click", () => {
    byId("details").hidden = true;
    mark(entries.get(shown)?.row, false);
    shown = undefined;
  });
  update();
  connect();
})();
