/** Generated from src/features/status/status.css (`deno task gen`): edit that file, not this one. */
const text: string = `body main.wide {
  max-width: 84rem;
  padding: clamp(1rem, 3vw, 2rem);
}

:root {
  --first: #2456c9;
  --second: #b45309;
  --third: #0f766e;
  --bad: #b3261e;
  --good: #166534;
}

@media (prefers-color-scheme: dark) {
  :root {
    --first: #86abff;
    --second: #f5b13d;
    --third: #4fd1c5;
    --bad: #ff8a80;
    --good: #6ee7a0;
  }
}

.head {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  justify-content: space-between;
  gap: 0.25rem 1.5rem;
}

.head p,
.checks {
  color: var(--quiet);
}

.checks {
  display: flex;
  flex-wrap: wrap;
  gap: 0.4rem 0.6rem;
  margin: 0 0 1rem;
  padding: 0;
  list-style: none;
}

.checks li {
  padding: 0.1rem 0.7rem;
  border: 1px solid currentColor;
  border-radius: 1rem;
  font-size: 0.875rem;
}

.good {
  color: var(--good);
}

.bad {
  color: var(--bad);
  font-weight: 600;
}

.grid {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr));
  gap: 0.9rem;
}

.card {
  min-width: 0;
  padding: 0.8rem 1rem;
  background: var(--ground);
  border: 1px solid var(--line);
  border-radius: 0.75rem;
}

h2 small {
  color: var(--quiet);
  font-size: 0.875rem;
  font-weight: 400;
}

.card h2 {
  margin: 0;
  font-size: 0.95rem;
}

.card svg {
  display: block;
  width: 100%;
  height: 4.5rem;
  margin: 0.35rem 0;
  border-bottom: 1px solid var(--line);
}

.card path {
  fill: none;
  stroke: currentColor;
  stroke-width: 1.5;
  stroke-linecap: round;
  vector-effect: non-scaling-stroke;
}

.card .pointer {
  stroke: var(--quiet);
  stroke-width: 1;
}

.top {
  display: flex;
  justify-content: space-between;
  gap: 1rem;
}

.top span {
  color: var(--quiet);
  font-size: 0.8rem;
  white-space: nowrap;
}

.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0.1rem 1rem;
  margin: 0;
  padding: 0;
  list-style: none;
  font-size: 0.875rem;
}

.legend b {
  color: var(--ink);
  font-variant-numeric: tabular-nums;
}

.line-1 {
  color: var(--first);
}

.line-2 {
  color: var(--second);
}

.line-3 {
  color: var(--third);
}

.line-4 {
  color: var(--bad);
}

.halves {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 0 2rem;
}

.halves > section {
  min-width: 0;
}

.scroll {
  overflow-x: auto;
}

.numbers td,
.numbers th {
  padding: 0.3rem 0.75rem 0.3rem 0;
}

.numbers td:not(:first-child),
.numbers th:not(:first-child) {
  text-align: right;
  font-variant-numeric: tabular-nums;
  white-space: nowrap;
}

.numbers td:first-child {
  overflow-wrap: anywhere;
}

th button,
th button:focus-visible {
  padding: 0;
  background: none;
  color: var(--accent);
  font-size: inherit;
}

th[aria-sort] button {
  text-decoration: underline;
}

@media (max-width: 30rem) {
  .numbers thead {
    display: table-header-group;
  }

  .numbers tr {
    display: table-row;
  }

  .numbers th {
    padding-right: 0.3rem;
  }

  .numbers td {
    display: table-cell;
    padding: 0.3rem 0.3rem 0.3rem 0;
    border-bottom: 1px solid var(--line);
  }
}

meter {
  width: 100%;
  min-width: 4rem;
}

.troubles {
  padding: 0;
  list-style: none;
  color: inherit;
}

.troubles li {
  padding: 0.5rem 0;
  border-bottom: 1px solid var(--line);
}

.troubles small {
  color: var(--quiet);
}

.stale .card,
.stale .halves {
  opacity: 0.75;
}
`;
export default text;
