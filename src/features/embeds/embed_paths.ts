/** What the gateway has of its own on preview hosts for embeds. */

/** The page that becomes the preview, and where it exchanges its code. */
export const EMBED_PATH = "/.porthole/embed";

/** How the preview is. */
export const STATE_PATH = "/.porthole/state";
