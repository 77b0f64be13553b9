/** Generated from src/features/access_page/access.js (`deno task gen`): edit that file, not this one. */
const text: string = `// What members have let others in by, in the browser: a section for each kind, kept by the gateway's API. Whatever is in
// a record becomes text and nothing else: never HTML, an attribute's code, or a link.
(() => {
  const [, , sandbox] = location.pathname.split("/");
  const [state, title, made, rows, form] = document.querySelectorAll(
    "#state, #title, #made, #rows, form",
  );
  const time = (text) => new Date(text).toLocaleString();
  let isBusy = false;

  /** What the API answers; throws what it refuses with. */
  async function call(method, path, sent) {
    const body = sent && JSON.stringify(sent);
    const headers = sent && { "content-type": "application/json" };
    const url = \`/api/v1/tokens\${path}\`;
    const response = await fetch(url, { method, headers, body });
    const answer = response.status === 204 ? {} : await response.json();
    if (response.ok) return answer;
    throw answer;
  }

  /** Does what was asked for unless something is under way, and says what came of it. */
  async function run(action) {
    if (isBusy) return;
    isBusy = true;
    try {
      state.textContent = await action();
    } catch ({ portholeCode, message, hint = "", errors = [] }) {
      if (portholeCode === "login_required") location.reload(); // to the login
      const faults = errors.map(({ path, message }) => \`\${path} \${message}\`);
      state.textContent = faults.join("; ") || \`\${message} \${hint}\`;
    }
    isBusy = false;
    state.scrollIntoView({ block: "nearest" });
    rows.parentElement.hidden = rows.childElementCount === 0;
  }

  function rowOf(token) {
    const { id, ports, methods, lastUsedAt, expiresAt } = token;
    const row = document.querySelector("template").content.firstElementChild
      .cloneNode(true);
    const texts = [
      \`\${id} by \${token.createdBy ?? "a member"} \${token.note ?? ""}\`,
      ports.join(", "),
      methods?.join(", ") ?? "all",
      time(token.createdAt),
      lastUsedAt ? time(lastUsedAt) : "never",
      time(expiresAt) + (Date.parse(expiresAt) <= Date.now() ? " (over)" : ""),
    ];
    texts.forEach((text, nth) => row.cells[nth].textContent = text);
    row.querySelector("button").onclick = () =>
      confirm(\`Revoke the token \${id}?\`) && run(async () => {
        await call("DELETE", \`/\${id}\`);
        row.remove();
        title.focus();
        return "Revoked. Within half a minute, it opens nothing any more.";
      });
    return row;
  }

  async function list(cursor) {
    const query = new URLSearchParams({ sandbox, ...cursor && { cursor } });
    const { items, next } = await call("GET", \`?\${query}\`);
    rows.append(...items.map(rowOf));
    if (next !== undefined) return await list(next);
    form.hidden = false;
    return rows.childElementCount === 0 ? "There are no tokens yet." : "";
  }

  async function make() {
    const { ports, methods, hours, note } = form.elements;
    const record = await call("POST", "", {
      sandbox,
      ports: ports.value.match(/\\d+/g).map(Number),
      methods: methods.value.toUpperCase().match(/[A-Z]+/g) ?? undefined,
      expiresInSec: hours.valueAsNumber * 3600,
      note: note.value || undefined,
    });
    const [method] = record.methods ?? ["GET"];
    const host = \`\${record.ports[0]}-\${record.sandboxId}.\${location.host}\`;
    // With -X HEAD, curl would wait for a body.
    const how = method === "HEAD" ? "-I" : \`-X \${method}\`;
    const [token, example] = made.querySelectorAll("pre");
    token.textContent = record.token;
    example.textContent =
      \`curl \${how} -H "X-Porthole-Token: \${record.token}" \${location.protocol}//\${host}/\`;
    rows.prepend(rowOf(record));
    form.reset();
    made.hidden = false;
    made.querySelector("h3").focus();
    return "Made.";
  }

  for (const button of made.querySelectorAll("button")) {
    button.onclick = () => {
      const text = button.previousElementSibling;
      getSelection().selectAllChildren(text);
      const { clipboard } = navigator; // not over plain http
      clipboard?.writeText(text.textContent);
      state.textContent = clipboard ? "Copied." : "Selected, for you to copy.";
    };
  }
  form.onsubmit = (event) => {
    event.preventDefault();
    run(make);
  };
  run(list);
})();
`;
export default text;
