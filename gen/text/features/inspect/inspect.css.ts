/** Generated from src/features/inspect/inspect.css (`deno task gen`): edit that file, not this one. */
const text: string = `:root {
  --warn: #8a5200;
  --fail: #b3261e;
}

@media (prefers-color-scheme: dark) {
  :root {
    --warn: #f0b45f;
    --fail: #ff8a80;
  }
}

main.inspect {
  max-width: 80rem;
  min-width: 0;
  align-self: start;
}

.tools {
  display: flex;
  flex-wrap: wrap;
  gap: 0.75rem;
  align-items: end;
  margin: 1rem 0;
}

.tools label {
  display: grid;
  gap: 0.2rem;
  color: var(--quiet);
  font-size: 0.875rem;
}

.tools input,
.tools select {
  min-height: 2.4rem;
  margin: 0;
  padding: 0.3rem 0.5rem;
  border: 1px solid var(--quiet);
  border-radius: 0.5rem;
  background: var(--paper);
  color: var(--ink);
  font: inherit;
}

.tools button,
#details button {
  padding: 0.4rem 0.9rem;
}

#rows td {
  padding-block: 0.3rem;
}

#rows button {
  padding: 0.1rem 0;
  background: none;
  color: var(--accent);
  font-family: ui-monospace, monospace;
  font-size: 0.9em;
  text-align: left;
  text-decoration: underline;
  overflow-wrap: anywhere;
}

#rows .number {
  white-space: nowrap;
  font-variant-numeric: tabular-nums;
}

.status-cell small {
  margin-left: 0.4em;
  padding: 0 0.3em;
  border: 1px solid currentcolor;
  border-radius: 0.3rem;
}

.failed-4 .status-cell {
  color: var(--warn);
  font-weight: 600;
}

.failed-5 .status-cell {
  color: var(--fail);
  font-weight: 600;
}

#rows [aria-current] {
  background: var(--ground);
  box-shadow: -0.4rem 0 var(--ground), -0.6rem 0 var(--accent);
}

#details {
  min-width: 0;
  margin-top: 1.5rem;
  padding-top: 1rem;
  border-top: 1px solid var(--line);
}

/* The details stay in sight, beside the list. */
@media (min-width: 70rem) {
  main.inspect {
    max-width: 110rem;
  }

  .panes:has(#details:not([hidden])) {
    display: grid;
    grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
    gap: 2rem;
    align-items: start;
  }

  .panes #details {
    position: sticky;
    top: 0;
    max-height: 100vh;
    overflow: auto;
    margin-top: 0;
    padding: 0.75rem 0 1rem 1.5rem;
    border-top: 0;
    border-left: 1px solid var(--line);
  }
}

#details h2 {
  margin-top: 0;
  font-size: 1.1rem;
}

#details pre {
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}

[hidden] {
  display: none !important;
}
`;
export default text;
