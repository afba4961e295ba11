import type { Session } from "../api/types.ts";
import { Tabs } from "../ui/tabs.tsx";
import { SessionDetails } from "./session-details.tsx";
import { SessionScript } from "./session-script.tsx";
import { Snippets } from "./snippets.tsx";

/** What there is to know about a session, and to take from it, beside what it showed. */
export function SessionPanels({ session }: { readonly session: Session }) {
  return (
    <Tabs
      label="About this session"
      tabs={[
        { name: "Use it", content: <Snippets session={session} /> },
        { name: "Its steps as a script", content: <SessionScript session={session} /> },
        { name: "Details and files", content: <SessionDetails session={session} /> },
      ]}
    />
  );
}
