import { useEffect, useState } from "react";
import { useAnnounce } from "./announcer.tsx";
import { Button, IconButton } from "./button.tsx";

interface CopyButtonProps {
  readonly text: string;
  /** What is copied, e.g. "the session's id". */
  readonly what: string;
  readonly label?: string;
}

export function CopyButton({ text, what, label }: CopyButtonProps) {
  const announce = useAnnounce();
  const [isDone, setDone] = useState(false);

  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1600);
    return () => clearTimeout(timer);
  }, [isDone]);

  async function copy(): Promise<void> {
    try {
      await writeClipboard(text);
      setDone(true);
      announce(`Copied ${what}.`);
    } catch {
      announce(`The browser did not let ${what} be copied.`);
    }
  }

  const icon = isDone ? "check" : "copy";
  if (label === undefined) {
    return <IconButton icon={icon} label={`Copy ${what}`} onClick={() => void copy()} />;
  }
  return (
    <Button icon={icon} onClick={() => void copy()}>
      {isDone ? "Copied" : label}
    </Button>
  );
}

/** The clipboard is there only on https and on localhost; elsewhere the old way still works. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  // Inside an open dialog nothing outside of it can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (!isCopied) throw new Error("not copied");
}
