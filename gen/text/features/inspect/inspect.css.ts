/** Generated from src/features/inspect/inspect.css (`deno task gen`): edit that file, not this one. */
const text: string = `main.inspect {
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

#details {
  margin-top: 1.5rem;
  padding-top: 1rem;
  border-top: 1px solid var(--line);
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
