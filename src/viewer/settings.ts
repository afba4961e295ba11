/** What the link's query says beside the ticket. */
export interface ViewerSettings {
  readonly sessionId: string;
  /** The page alone, for a frame of another page. */
  readonly minimal: boolean;
  /** `never` offers no control; `asked` takes it with the first click on the page; else by the button. */
  readonly control: "never" | "asked" | "offered";
}

const query = new URLSearchParams(location.search);

/** The parameters that open the session; replaced by fresh ones as they come. */
const ticketNames = ["session", "access", "expires", "ticket"] as const;

export const settings: ViewerSettings = {
  sessionId: query.get("session") ?? "",
  minimal: query.get("mode") === "embed-minimal",
  control:
    query.get("interactive") === "0"
      ? "never"
      : query.get("interactive") === "1"
        ? "asked"
        : "offered",
};

/** The ticket as the link has it, and the name that the viewer goes by. */
export function linkQuery(): URLSearchParams {
  const taken = new URLSearchParams();
  for (const name of [...ticketNames, "name"]) {
    const value = query.get(name);
    if (value !== null) taken.set(name, value);
  }
  return taken;
}

/** `null` is the system's own. */
export function setTheme(theme: string | null): void {
  if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;
  else delete document.documentElement.dataset["theme"];
}

setTheme(query.get("theme"));
