// What members have let others in by, in the browser: a section for each kind that the gateway's API keeps. Whatever is in
// a record becomes text and nothing else: never HTML, an attribute's code, or a link.
(() => {
  const [, , sandbox] = location.pathname.split("/");
  const time = (text) => new Date(text).toLocaleString();
  const title = ({ id, createdBy, note }) =>
    `${id} by ${createdBy ?? "a member"} ${note ?? ""}`;
  const end = ({ expiresAt }) =>
    time(expiresAt) + (Date.parse(expiresAt) <= Date.now() ? " (over)" : "");

  /** What the API answers; throws what it refuses with. */
  async function call(method, path, sent, given) {
    const body = sent && JSON.stringify(sent);
    const headers = { ...sent && { "content-type": "application/json" } };
    const response = await fetch(`/api/v1/${path}`, {
      method,
      headers: { ...headers, ...given },
      body,
    });
    const answer = response.status === 204 ? {} : await response.json();
    if (response.ok) return answer;
    throw answer;
  }

  /**
   * The section of a kind. Of a record, `textsOf` has the texts in the order of the columns, and `buttonsOf` what the
   * buttons beside it do, by what they say; `make` does what its form is for.
   */
  function addSection(
    kind,
    { idOf = ({ id }) => id, textsOf, buttonsOf, make },
  ) {
    const section = document.getElementById(kind);
    const [heading, state, table, form] = ["h2", "[role]", "table", "form"]
      .map((each) => section.querySelector(each));
    const labels = [...table.rows[0].cells].map((cell) => cell.textContent);
    const rows = new Map(); // by id
    let isBusy = false;

    /** Does what was asked for unless something is under way, and says what came of it. */
    async function run(action) {
      if (isBusy) return;
      isBusy = true;
      try {
        state.textContent = await action();
      } catch ({ portholeCode, message, hint = "", errors = [] }) {
        if (portholeCode === "login_required") location.reload(); // to the login
        const faults = errors.map(({ path, message }) => `${path} ${message}`);
        state.textContent = faults.join("; ") || `${message} ${hint}`;
      }
      isBusy = false;
      table.hidden = rows.size === 0;
    }

    /** Does what somebody has asked for, who may not see what is said of that. */
    async function press(action) {
      await run(action);
      state.scrollIntoView({ block: "nearest" });
    }

    /** Shows a record in its row, or in a new one there. */
    function show(record, at = 0) {
      const id = idOf(record);
      const row = rows.get(id) ?? table.tBodies[0].insertRow(at);
      rows.set(id, row);
      const pressed = row.contains(document.activeElement) &&
        document.activeElement.textContent;
      const texts = textsOf(record);
      row.replaceChildren();
      labels.forEach((label, nth) => {
        const cell = row.insertCell();
        cell.dataset.label = label;
        cell.textContent = texts[nth] ?? "";
      });
      for (const [text, onclick] of Object.entries(buttonsOf(record))) {
        const button = document.createElement("button");
        const made = { className: "quiet", textContent: text, onclick };
        row.lastChild.append(Object.assign(button, made), " ");
        if (text === pressed) button.focus();
      }
      if (pressed && !row.contains(document.activeElement)) heading.focus();
    }

    /** Ends a record if that is confirmed. */
    function revoke(id, question, said) {
      if (!confirm(question)) return;
      press(async () => {
        await call("DELETE", `${kind}/${encodeURIComponent(id)}`);
        rows.get(id).remove();
        rows.delete(id);
        heading.focus();
        return said;
      });
    }

    async function list(cursor) {
      const query = new URLSearchParams({ sandbox, ...cursor && { cursor } });
      const { items, next } = await call("GET", `${kind}?${query}`);
      for (const item of items) show(item, -1);
      if (next !== undefined) return await list(next);
      if (form !== null) form.hidden = false;
      return rows.size === 0 ? `There are no ${kind} yet.` : "";
    }

    /** Shows what is shown only now, each text in its place. */
    function reveal(...texts) {
      const made = section.querySelector(".made");
      made.querySelectorAll("pre").forEach((place, nth) =>
        place.textContent = texts[nth]
      );
      made.hidden = false;
      made.querySelector("h3").focus();
    }

    for (const button of section.querySelectorAll("pre + button")) {
      button.onclick = () => {
        const text = button.previousElementSibling;
        getSelection().selectAllChildren(text);
        const { clipboard } = navigator; // not over plain http
        clipboard?.writeText(text.textContent);
        press(() => clipboard ? "Copied." : "Selected, for you to copy.");
      };
    }

    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      press(async () => {
        const said = await make(form.elements);
        form.reset();
        return said;
      });
    });
    run(list);
    return { press, show, reveal, revoke };
  }

  const shares = addSection("shares", {
    textsOf: (share) => [
      share.path === "/" ? title(share) : `${title(share)}\n${share.path}`,
      share.port,
      (share.emails?.join("\n") ?? "whoever has the link") +
      (share.hasPasscode ? "\nwith a passcode" : "") +
      (share.isShut ? "\nshut: too many wrong passcodes" : ""),
      share.usesLeft ?? "any number",
      end(share),
    ],
    buttonsOf: ({ id }) => ({
      Revoke: () =>
        shares.revoke(
          id,
          `Revoke the share ${id}?`,
          "Revoked. Within half a minute, it opens nothing any more.",
        ),
    }),
    make: makeShare,
  });

  async function makeShare(
    { port, path, passcode, emails, uses, hours, note },
  ) {
    const share = await call("POST", "shares", {
      sandbox,
      port: port.valueAsNumber,
      path: path.value || undefined,
      expiresInSec: hours.valueAsNumber * 3600 || undefined,
      passcode: passcode.value || undefined,
      emails: emails.value.match(/[^\s,]+/g) ?? undefined,
      uses: uses.valueAsNumber || undefined,
      note: note.value || undefined,
    });
    shares.show(share);
    shares.reveal(share.url);
    return "Made.";
  }

  const tokens = addSection("tokens", {
    textsOf: (token) => [
      title(token),
      token.ports.join(", "),
      token.methods?.join(", ") ?? "all",
      time(token.createdAt),
      token.lastUsedAt ? time(token.lastUsedAt) : "never",
      end(token),
    ],
    buttonsOf: ({ id }) => ({
      Revoke: () =>
        tokens.revoke(
          id,
          `Revoke the token ${id}?`,
          "Revoked. Within half a minute, it opens nothing any more.",
        ),
    }),
    make: makeToken,
  });

  async function makeToken({ ports, methods, hours, note }) {
    const record = await call("POST", "tokens", {
      sandbox,
      ports: ports.value.match(/\d+/g).map(Number),
      methods: methods.value.toUpperCase().match(/[A-Z]+/g) ?? undefined,
      expiresInSec: hours.valueAsNumber * 3600,
      note: note.value || undefined,
    });
    const [method] = record.methods ?? ["GET"];
    const host = `${record.ports[0]}-${record.sandboxId}.${location.host}`;
    // With -X HEAD, curl would wait for a body.
    const how = method === "HEAD" ? "-I" : `-X ${method}`;
    tokens.show(record);
    tokens.reveal(
      record.token,
      `curl ${how} -H "X-Porthole-Token: ${record.token}" ${location.protocol}//${host}/`,
    );
    return "Made.";
  }

  /** True while nobody has to change the DNS of a name. */
  const isWell = ({ verification, state, lastError }) =>
    !verification || state === "active" && !lastError;

  function dnsOf({ txt, cname }) {
    return `${txt.name} TXT ${txt.value}\n${cname.name} CNAME ${cname.target}`;
  }

  const names = addSection("names", {
    idOf: ({ host }) => host,
    textsOf: (name) => [
      title({ ...name, id: name.host }),
      name.port,
      [name.state, name.lastError].filter(Boolean).join(": "),
      isWell(name) ? "" : dnsOf(name.verification),
    ],
    buttonsOf: (name) => ({
      ...!isWell(name) && { Verify: () => verify(name) },
      Remove: () =>
        names.revoke(
          name.host,
          `Remove the name ${name.host}?`,
          name.state === "pending"
            ? "Removed."
            : "Removed. For 30 days, nobody else can have it.",
        ),
    }),
    make: addName,
  });

  function verify({ host }) {
    names.press(async () => {
      const path = `names/${encodeURIComponent(host)}/verify`;
      const name = await call("POST", path, {});
      names.show(name);
      return isWell(name)
        ? "Verified: it leads here."
        : `Not verified yet. ${name.lastError ?? ""}`;
    });
  }

  /** Adds a name; one that leads elsewhere is led here if that is confirmed. */
  async function addName({ host, port }) {
    const path = `names/${encodeURIComponent(host.value.trim().toLowerCase())}`;
    const sent = { sandbox, port: port.valueAsNumber };
    const isNew = { "if-none-match": "*" };
    const name = await call("PUT", path, sent, isNew).catch((refusal) => {
      if (refusal.portholeCode !== "precondition_failed") throw refusal;
      const question = `${host.value} is there already. Change where it leads?`;
      return confirm(question) ? call("PUT", path, sent) : undefined;
    });
    if (name === undefined) return "Nothing was changed.";
    names.show(name);
    return isWell(name)
      ? "Added: it leads here."
      : "Added. Once its DNS says what stands beside it, verify it.";
  }

  const embeds = addSection("embeds", {
    textsOf: (embed) => [
      title(embed),
      embed.port,
      embed.ancestors.join("\n"),
      end(embed),
    ],
    buttonsOf: ({ id }) => ({
      Revoke: () =>
        embeds.revoke(
          id,
          `Revoke the embed ${id}?`,
          "Revoked. Within half a minute, no page shows it any more.",
        ),
    }),
  });
})();
