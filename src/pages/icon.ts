/** The icon of all our pages: a porthole, drawn in the page itself so that no browser asks an app for `/favicon.ico`. */
const SVG =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.25" fill="#cfe0ff" stroke="#2f62d6" stroke-width="2.5"/><path d="M4.6 8.9c1.1-1 2.2-1 3.4 0s2.3 1 3.4 0" fill="none" stroke="#2f62d6" stroke-width="1.25" stroke-linecap="round"/></svg>`;

/** The element of a page's head that names it. */
export const ICON = `<link rel="icon" href="data:image/svg+xml,${
  encodeURIComponent(SVG)
}">`;
