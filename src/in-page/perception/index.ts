/** The script that perceives a page: see `src/pages/observe`, and `src/pages/actions` for the rest. */
export { changesSeen, changesSoFar, watchChanges } from "./change-watch.ts";
export { walk } from "./describe.ts";
export { keysAt, keysOf } from "./listening.ts";
export { elementByKey, keyOf, note, takeNote } from "./registry.ts";
export { drawn, goToEnd, scrollPage, scrollPosition, scrollToPosition } from "./rest.ts";
export { focusIsSecret } from "./secrets.ts";
