import { element, make } from "./elements.ts";

const shownForMs = 5000;
const mostShown = 3;

const list = element("notices", HTMLElement);

/** Shows a sentence for a while. */
export function notify(text: string): void {
  const notice = make("p", {}, text);
  list.append(notice);
  while (list.childElementCount > mostShown) list.firstElementChild?.remove();
  setTimeout(() => notice.remove(), shownForMs);
}
