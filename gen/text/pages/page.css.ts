/** Generated from src/pages/page.css (`deno task gen`): edit that file, not this one. */
const text: string = `:root {
  color-scheme: light dark;
  --ground: #f6f7f9;
  --paper: #ffffff;
  --ink: #1a1d21;
  --quiet: #5b6470;
  --line: #e1e5ea;
  --accent: #2456c9;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101317;
    --paper: #181c21;
    --ink: #eceff3;
    --quiet: #9aa5b1;
    --line: #2a3038;
    --accent: #86abff;
  }
}

* {
  box-sizing: border-box;
}

body {
  margin: 0;
  min-height: 100vh;
  display: grid;
  place-items: center;
  padding: clamp(0.5rem, 4vw, 1.25rem);
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif;
}

main {
  width: 100%;
  max-width: 34rem;
  padding: clamp(1rem, 5vw, 2.5rem);
  background: var(--paper);
  border: 1px solid var(--line);
  border-radius: 1rem;
  overflow-wrap: anywhere;
}

h1 {
  margin: 0 0 0.75rem;
  font-size: clamp(1.35rem, 4vw, 1.7rem);
  line-height: 1.25;
}

p {
  margin: 0 0 0.75rem;
}

.status {
  color: var(--accent);
  font-weight: 600;
  letter-spacing: 0.02em;
}

.brand svg {
  width: 1.25rem;
  vertical-align: -0.25em;
}

dl {
  display: grid;
  grid-template-columns: auto 1fr;
  gap: 0.25rem 1rem;
  margin: 1.5rem 0 0;
  padding-top: 1rem;
  border-top: 1px solid var(--line);
  color: var(--quiet);
  font-size: 0.875rem;
}

dd {
  margin: 0;
}

.name {
  font-family: ui-monospace, monospace;
  font-size: 0.9em;
}

td:is([data-label="Share"], [data-label="For"], [data-label="Token"], [data-label="Name"], [data-label="State"], [data-label="Its DNS must say"], [data-label="Embed"], [data-label="Pages"]) {
  overflow-wrap: anywhere;
  white-space: pre-line;
}

code {
  font-family: ui-monospace, monospace;
  font-size: 0.9em;
  overflow-wrap: normal;
}

p code {
  white-space: nowrap;
}

.wide p code,
.wide li code {
  white-space: normal;
  overflow-wrap: anywhere;
}

pre {
  margin: 0 0 0.75rem;
  padding: 0.75rem 1rem;
  background: var(--ground);
  border-radius: 0.5rem;
  overflow-x: auto;
}

pre.prose {
  white-space: pre-wrap;
}

pre + button {
  margin-bottom: 0.75rem;
}

main.wide {
  max-width: 52rem;
  min-width: 0;
}

h2 {
  margin: 2rem 0 0.75rem;
}

h3 {
  margin: 1.25rem 0 0.25rem;
  font-size: 1rem;
}

a {
  color: var(--accent);
}

ul {
  margin: 0 0 0.75rem;
  padding-left: 1.25rem;
  color: var(--quiet);
}

.steps {
  margin: 0 0 0.75rem;
  padding-left: 1.5rem;
  color: var(--quiet);
}

.steps [aria-current] {
  color: var(--ink);
  font-weight: 600;
}

.steps .done {
  list-style-type: "✓ ";
}

table {
  width: 100%;
  border-collapse: collapse;
  font-size: 0.9rem;
}

th,
td {
  padding: 0.5rem 0.75rem 0.5rem 0;
  border-bottom: 1px solid var(--line);
  overflow-wrap: normal;
  text-align: left;
  vertical-align: top;
}

@media (max-width: 30rem) {
  thead {
    display: none;
  }

  td {
    display: block;
    padding: 0;
    border: 0;
  }

  td code {
    overflow-wrap: anywhere;
  }

  td[data-label]:not([data-label=""], :empty)::before {
    content: attr(data-label) ": ";
    color: var(--quiet);
  }

  tr {
    display: block;
    padding: 0.5rem 0;
    border-bottom: 1px solid var(--line);
  }
}

tr {
  scroll-margin-top: 1rem;
}

tr:target {
  background: var(--ground);
}

button,
.button {
  display: inline-block;
  padding: 0.6rem 1.25rem;
  border: 0;
  border-radius: 0.5rem;
  background: var(--accent);
  color: var(--paper);
  font: inherit;
  font-weight: 600;
  cursor: pointer;
}

.button {
  text-decoration: none;
}

.button[aria-disabled] {
  outline: 1px solid var(--line);
  background: transparent;
  color: var(--quiet);
  cursor: default;
}

/* Where they are too many for one line. */
button + button {
  margin-top: 0.5rem;
}

.quiet:is(button, .button) {
  padding: calc(0.6rem - 1px) calc(1.25rem - 1px);
  border: 1px solid var(--quiet);
  background: transparent;
  color: var(--ink);
}

button:focus-visible,
.button:focus-visible,
pre:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 3px;
}

form,
form + p {
  margin-top: 1.5rem;
}

.fields {
  display: grid;
  grid-template-columns: 1fr 2fr;
  gap: 1rem;
  margin-bottom: 1rem;
}

label {
  font-weight: 600;
}

input {
  display: block;
  width: 100%;
  margin-top: 0.25rem;
  padding: 0.55rem 0.75rem;
  border: 1px solid var(--quiet);
  border-radius: 0.5rem;
  background: var(--ground);
  color: var(--ink);
  font: inherit;
  font-weight: 400;
}

input::placeholder {
  color: var(--quiet);
  opacity: 1;
}

input:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 1px;
}

[role="alert"] {
  padding: 0.6rem 0.9rem;
  border: 1px solid var(--accent);
  border-radius: 0.5rem;
}

.foot {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem 1.25rem;
  margin-top: 2rem;
  padding-top: 1rem;
  border-top: 1px solid var(--line);
}

.host {
  margin-bottom: 1rem;
  padding: 0.6rem 0.9rem;
  background: var(--ground);
  border: 1px solid var(--line);
  border-radius: 0.5rem;
  font: 0.9rem/1.5 ui-monospace, monospace;
}

.note {
  color: var(--quiet);
  font-size: 0.875rem;
}

.note:last-of-type {
  margin-bottom: 0;
}

.note code {
  white-space: normal;
}

/* A small frame has room for what happened, and for what can be done. */
@media (max-width: 300px), (max-height: 300px) {
  .framed {
    padding: 0.75rem;
    font-size: 0.875rem;
  }

  .framed h1 {
    margin-bottom: 0.25rem;
    font-size: 1.1rem;
  }

  .framed .status,
  .framed h1 + p ~ :not(:has(button, .button)) {
    display: none;
  }
}
`;
export default text;
