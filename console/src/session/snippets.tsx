import type { Session } from "../api/types.ts";
import { CodeBlock } from "../ui/code-block.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { snippetsOf } from "./snippet-texts.ts";

export function Snippets({ session }: { readonly session: Session }) {
  return (
    <div className="snippets">
      <p className="hint">
        {session.cdp_url === null
          ? "The session has ended. What it left can be fetched as long as it is kept."
          : "For this very session, as it runs. Its CDP address opens this session and nothing else; still, share it only with those who may drive it."}
      </p>
      <Tabs
        kind="small"
        label="Client"
        tabs={snippetsOf(session, location.origin).map(({ name, code }) => ({
          name,
          content: <CodeBlock code={code} what={`the code for ${name}`} />,
        }))}
      />
    </div>
  );
}
