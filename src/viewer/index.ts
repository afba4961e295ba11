import type { ServerMessage } from "../live/protocol.ts";
import { ChoiceList } from "./choice-list.ts";
import { Connection, type Line } from "./connection.ts";
import { showCover } from "./cover.ts";
import { element } from "./elements.ts";
import { listenToParent, tellParent } from "./embedding.ts";
import { Keyboard } from "./keyboard.ts";
import { notify } from "./notices.ts";
import { PageDialogBox } from "./page-dialog.ts";
import { Pointer } from "./pointer.ts";
import { Screen } from "./screen.ts";
import { settings } from "./settings.ts";
import { Toolbar } from "./toolbar.ts";

/** How long the way out of the page is shown when it gets the focus, in ms. */
const hintForMs = 4000;

const keys = element("keys", HTMLTextAreaElement);
const controlButton = element("control", HTMLButtonElement);
const presence = element("presence-text", HTMLElement);

let line: Line = { kind: "connecting" };
let me = 0;
let mayControl = false;
let control: Extract<ServerMessage, { readonly type: "control" }> = {
  type: "control",
  controller: null,
  viewers: 0,
};

const connection = new Connection({
  line: (next) => {
    line = next;
    if (next.kind !== "open") control = { ...control, controller: null };
    if (next.kind === "open") screen.reset();
    showCover(next);
    refresh();
  },
  message: receive,
  frame: (data) => screen.receive(data),
});
const send = connection.send.bind(connection);
const screen = new Screen((number) => send({ type: "shown", number }));
const toolbar = new Toolbar(send, focusPage);
const dialog = new PageDialogBox(send, focusPage);
const choices = new ChoiceList(screen, send, focusPage);
const pointer = new Pointer(keys, screen, send);
new Keyboard(keys, send, () => controlButton.focus());

document.body.classList.toggle("minimal", settings.minimal);
document.body.classList.toggle("passive", settings.control === "never");
controlButton.addEventListener("click", () => {
  send({ type: "control", take: !inControl() });
});
screen.page.addEventListener("click", () => {
  if (inControl() || line.kind !== "open" || settings.control === "never" || !mayControl) return;
  if (settings.control === "asked") send({ type: "control", take: true });
  else if (control.controller === null) notify("You are watching. Take control to use the page.");
});
keys.addEventListener("focus", () => {
  document.body.classList.add("keys-hinted");
  setTimeout(() => document.body.classList.remove("keys-hinted"), hintForMs);
});
listenToParent({
  takeControl: () => send({ type: "control", take: true }),
  releaseControl: () => send({ type: "control", take: false }),
});
showCover(line);
connection.connect();

function receive(message: ServerMessage): void {
  switch (message.type) {
    case "hello":
      me = message.viewer;
      mayControl = message.mayControl && settings.control !== "never";
      refresh();
      return;
    case "tabs":
      toolbar.tabs(message);
      refresh();
      return;
    case "watching":
      screen.tab = message.tab;
      toolbar.watching(message.tab);
      refresh();
      return;
    case "control": {
      const had = inControl();
      control = message;
      refresh();
      if (inControl() && !had) focusPage();
      return;
    }
    case "loading":
      toolbar.loading(message.loading);
      return;
    case "dialog":
      dialog.show(message.dialog);
      return;
    case "choices":
      choices.show(message.choices);
      return;
    case "clipboard":
      navigator.clipboard
        ?.writeText(message.text)
        .catch(() => notify("Your browser did not let the text be copied."));
      return;
    case "notice":
      notify(message.text);
      return;
  }
}

function inControl(): boolean {
  return control.controller?.viewer === me && me !== 0;
}

function focusPage(): void {
  if (inControl()) keys.focus({ preventScroll: true });
}

function refresh(): void {
  const yours = inControl();
  const open = line.kind === "open";
  const { controller, viewers } = control;
  const { classList } = document.body;
  classList.toggle("live", open);
  classList.toggle("you", yours);
  classList.toggle("other", controller !== null && !yours);
  if (!yours) classList.remove("loading");
  keys.hidden = !yours;
  pointer.enable(yours);
  toolbar.control(yours);
  controlButton.hidden = !mayControl || !open;
  controlButton.disabled = controller !== null && !yours;
  controlButton.textContent = yours ? "Release control" : "Take control";
  controlButton.classList.toggle("primary", !yours);
  const company = viewers > 1 ? ` · ${viewers} viewers` : "";
  presence.textContent = open ? `${presenceText(yours)}${company}` : lineText();
  const { url = "", title = "" } = toolbar.current ?? {};
  tellParent({
    line,
    control: yours ? "you" : controller === null ? "nobody" : "other",
    viewers,
    url,
    title,
  });
}

function presenceText(yours: boolean): string {
  if (yours) return "You are in control";
  return control.controller === null ? "Live" : `${control.controller.name} is in control`;
}

function lineText(): string {
  return line.kind === "connecting" || line.kind === "broken" ? "Connecting" : "Not live";
}
