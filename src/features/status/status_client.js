// Draws what /events tells. It only ever sets text, so nothing that is told can become a part of the page.
const KEPT_MS = 600_000;
const RATE = ["", "/s"];
const CHARTS = [
  ["Requests", rate, [
    ["app", "answered by apps"],
    ["sandbox", "about sandboxes"],
    ["gateway", "by the gateway"],
  ]],
  ["Errors (5xx)", rate, [
    ["appFailed", "of apps"],
    ["gatewayFailed", "of the gateway", 4],
  ]],
  ["Duration", ms, [["median", "median"], ["p95", "95 %"]]],
  ["Until the app is asked / first byte, 95 %", ms, [
    ["resolved95", "asked"],
    ["firstByte95", "first byte"],
  ]],
  ["Under way", count, [
    ["inFlight", "requests"],
    ["tunnels", "WebSockets"],
  ]],
  ["Bytes", bytes, [["received", "to apps"], ["sent", "to clients"]]],
  ["Daytona's API", rate, [
    ["apiCalls", "calls"],
    ["apiFailed", "failed", 4],
  ]],
  ["API latency, 95 %", ms, [["api95", "retries included"]]],
  ["Cache hits", percent, [["hits", "answered in process"]], 1],
  ["CPU", percent, [["cpu", "of one core"]]],
  ["Memory", size, [["memory", "resident"], ["buffered", "for clients"]]],
];
const COLUMNS = [
  ["requestsPerSec", "requests", rate],
  ["bytesPerSec", "bytes", bytes],
  ["tunnels", "WebSockets", count],
];

function number(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  if (value >= 1e4) return `${Math.round(value / 1e3)}k`;
  if (value >= 100 || value === Math.round(value)) {
    return `${Math.round(value)}`;
  }
  return value.toFixed(value < 1 ? 2 : 1);
}
function count(value) {
  return number(value);
}
function rate(value) {
  return number(value) + RATE[1];
}
function percent(value) {
  return `${Math.round(value * 100)} %`;
}
function ms(value) {
  return value >= 1000
    ? `${(value / 1000).toFixed(1)} s`
    : `${number(value)} ms`;
}
function size(value) {
  for (const unit of ["B", "KB", "MB"]) {
    if (value < 1024) return `${number(value)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} GB`;
}
function bytes(value) {
  return size(value) + RATE[1];
}
function duration(value) {
  const minutes = Math.max(0, value) / 60_000;
  if (minutes < 1) return `${Math.round(minutes * 60)} s`;
  if (minutes < 120) return `${Math.round(minutes)} min`;
  return minutes < 2880
    ? `${Math.round(minutes / 60)} h`
    : `${Math.round(minutes / 1440)} days`;
}

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}
function at(id) {
  return document.getElementById(id);
}
function svg(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  return made;
}

const charts = CHARTS.map(([title, format, series, top]) => {
  const picture = svg("svg", {
    viewBox: "0 0 600 100",
    preserveAspectRatio: "none",
    role: "img",
  });
  const highest = element("span");
  const lines = series.map(([key, label, color], index) => {
    const className = `line-${color ?? index + 1}`;
    const line = svg("path", { class: className });
    const value = element("b");
    const entry = element("li", {}, element("span", { className }, "● "));
    entry.append(`${label} `, value);
    picture.append(line);
    return { key, label, line, value, entry };
  });
  at("charts").append(element(
    "section",
    { className: "card" },
    element("div", { className: "top" }, element("h2", {}, title), highest),
    picture,
    element("ul", { className: "legend" }, ...lines.map(({ entry }) => entry)),
  ));
  const chart = { title, format, lines, picture, highest, top };
  const pointer = svg("path", { class: "pointer" });
  picture.append(pointer);
  picture.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = picture.getBoundingClientRect();
    const share = (clientX - left) / width;
    chart.pointed = share;
    pointer.setAttribute("d", `M${(share * 600).toFixed(1)},0V100`);
    caption(chart);
  });
  picture.addEventListener("pointerleave", () => {
    chart.pointed = undefined;
    pointer.setAttribute("d", "");
    caption(chart);
  });
  return chart;
});
document.title = `${location.host}: Porthole status`;
at("host").textContent = location.host;

let points = [];
let sandboxes = [];
let sortedBy = "requestsPerSec";

/** The times that a picture is of. */
function span() {
  const now = points.at(-1).at;
  const spanMs = Math.max(60_000, now - points[0].at);
  return { since: now - spanMs, spanMs };
}

/** Says how high a picture goes, or what it shows where the pointer is. */
function caption({ format, lines, highest, high, pointed }) {
  if (points.length === 0) return;
  const { since, spanMs } = span();
  const when = since + pointed * spanMs;
  const near = points.findLast((point) => point.at <= when) ?? points[0];
  const told = lines.map(({ key }) =>
    near[key] === null ? "–" : format(near[key])
  );
  highest.textContent = pointed === undefined
    ? `up to ${format(high)}`
    : `${new Date(near.at).toLocaleTimeString()}: ${told.join(", ")}`;
}

/** A line that breaks where there is no data: where a point has none, or was not told for a while. */
function pathOf(key, yOf) {
  const { since, spanMs } = span();
  const gaps = points.slice(1).map(({ at }, nth) => at - points[nth].at);
  const usual = gaps.toSorted((a, b) => a - b)[gaps.length >> 1];
  let path = "";
  let last;
  for (const point of points) {
    if (point[key] !== null) {
      const x = ((point.at - since) / spanMs * 600).toFixed(1);
      const isNext = last !== undefined && point.at - last < 3 * usual;
      path += `${isNext ? "L" : "M"}${x},${yOf(point[key]).toFixed(1)}h0`;
    }
    last = point[key] === null ? undefined : point.at;
  }
  return path;
}

function draw(chart) {
  const { title, format, lines, picture, top } = chart;
  const now = points.at(-1);
  if (now === undefined) return;
  let high = top ?? 0;
  for (const point of points) {
    for (const { key } of lines) high = Math.max(high, point[key] ?? 0);
  }
  for (const { key, line, value } of lines) {
    const yOf = (value) => 97 - 94 * (high > 0 ? value / high : 0);
    line.setAttribute("d", pathOf(key, yOf));
    value.textContent = now[key] === null ? "–" : format(now[key]);
  }
  chart.high = high;
  caption(chart);
  const told = lines.map(({ label, value }) => `${label} ${value.textContent}`);
  picture.setAttribute("aria-label", `${title}, now: ${told.join(", ")}`);
}

function rows(id, list, cells) {
  const body = at(id);
  body.replaceChildren(...list.map((each) =>
    element(
      "tr",
      {},
      ...cells(each).map((cell) => element("td", {}, cell)),
    )
  ));
  if (list.length > 0) return;
  const columns = body.parentElement.querySelectorAll("th").length;
  body.append(element("tr", {}, element("td", { colSpan: columns }, "none")));
}

function drawSandboxes() {
  const sorted = sandboxes.toSorted((a, b) => b[sortedBy] - a[sortedBy]);
  rows("sandboxes", sorted.slice(0, 10), (each) => [
    element("span", { className: "name" }, each.sandboxId),
    ...COLUMNS.map(([key, , format]) => format(each[key])),
  ]);
  for (const [key] of COLUMNS) {
    const heading = at(`by-${key}`);
    if (key === sortedBy) heading.setAttribute("aria-sort", "descending");
    else heading.removeAttribute("aria-sort");
  }
}

for (const [key, label] of COLUMNS) {
  const button = element("button", { type: "button" }, label);
  button.addEventListener("click", () => {
    sortedBy = key;
    drawSandboxes();
  });
  at("sandboxes-head").append(
    element("th", { id: `by-${key}`, scope: "col" }, button),
  );
}

function meter({ name, used, limit }) {
  const share = limit > 0 ? used / limit : 0;
  const drawn = element("meter", { min: 0, max: 1, high: 0.8, optimum: 0 });
  drawn.value = Math.min(1, share);
  drawn.setAttribute("aria-label", `${name}: ${percent(share)}`);
  const format = name.endsWith("BYTES") ? size : count;
  return [
    element("span", { className: "name" }, name),
    drawn,
    `${format(used)} of ${format(limit)}`,
  ];
}

function trouble({ at: when, level, message, count, code, reason, ...of }) {
  const time = new Date(when).toLocaleTimeString();
  const facts = [
    of.sandboxId && `sandbox ${of.sandboxId}`,
    of.port && `port ${of.port}`,
    of.requestId && `request ${of.requestId}`,
  ].filter(Boolean);
  const title = element("span", {
    className: level === "info" ? "" : "bad",
  }, code ? `${message}: ${code}` : message);
  const times = count > 1 ? ` (${count} times)` : "";
  return element(
    "li",
    {},
    title,
    `${times}${reason ? ` – ${reason}` : ""} `,
    element("small", {}, [time, ...facts].join(" · ")),
  );
}

function show(told) {
  points = told.isFirst ? told.points : [...points, ...told.points];
  const now = points.at(-1)?.at ?? Date.now();
  points = points.filter((point) => point.at >= now - KEPT_MS);
  charts.forEach(draw);
  at("version").textContent =
    `Porthole ${told.version} on Deno ${told.deno}, up for ${
      duration(Date.now() - told.startedAt)
    }`;
  at("checks").replaceChildren(
    ...told.checks.map(([name, isPassing]) =>
      element(
        "li",
        { className: isPassing ? "good" : "bad" },
        `${name}: ${isPassing ? "ok" : "failing"}`,
      )
    ),
  );
  if (told.certificate !== null) {
    const left = told.certificate - Date.now();
    at("checks").append(element(
      "li",
      { className: left < 7 * 86_400_000 ? "bad" : "good" },
      left > 0 ? `certificate: ${duration(left)} left` : "certificate: expired",
    ));
  }
  sandboxes = told.sandboxes;
  drawSandboxes();
  const byRequests = told.organizations
    .toSorted((a, b) => b.requestsPerSec - a.requestsPerSec);
  rows("organizations", byRequests.slice(0, 10), (each) => [
    element("span", { className: "name" }, each.id),
    rate(each.requestsPerSec),
    bytes(each.bytesPerSec),
  ]);
  rows("runners", told.runners, ({ origin, waiting, isUnresponsive }) => [
    element("span", { className: "name" }, origin),
    count(waiting),
    element(
      "span",
      { className: isUnresponsive ? "bad" : "" },
      isUnresponsive ? "answers nobody" : "answers",
    ),
  ]);
  rows("limits", told.limits, meter);
  const inRow = ([code, times]) => [code, count(times)];
  rows("errors", told.errors, inRow);
  rows("users-errors", told.usersErrors, inRow);
  const failed = new Map(told.apiFailures);
  rows("api", told.apiCalls, ([operation, calls]) => [
    operation,
    count(calls),
    count(failed.get(operation) ?? 0),
  ]);
  rows("others", [
    ...told.cache.map(([result, times]) => [`cache: ${result}`, times]),
    ...told.logins.map(([outcome, times]) => [`login: ${outcome}`, times]),
    ...told.closes.map(([by, times]) => [`WebSocket closed by ${by}`, times]),
    ...told.evictions.map(([kind, times]) => [`evicted: ${kind}`, times]),
    ...(told.socketsLost > 0
      ? [["sockets lost since the start", told.socketsLost]]
      : []),
  ], ([what, times]) => [what, count(times)]);
  for (const each of document.querySelectorAll(".span")) {
    each.textContent = `in the last ${duration(told.countedMs)}`;
  }
  at("troubles").replaceChildren(...told.troubles.map(trouble));
  if (told.troubles.length === 0) {
    at("troubles").append(element("li", {}, "none"));
  }
  live("live");
}

function live(text) {
  document.body.classList.toggle("stale", text !== "live");
  if (at("live").textContent !== text) at("live").textContent = text;
}

const events = new EventSource("events");
events.onmessage = ({ data }) => show(JSON.parse(data));
events.onerror = () => live("no answer: trying again");
