/** What shows that a page took an operation, beside its document: these do not change the tree. */
const tellingEvents = ["input", "change", "scroll", "toggle", "play", "pause"] as const;

const watched: MutationObserverInit = {
  subtree: true,
  childList: true,
  attributes: true,
  characterData: true,
};

/**
 * All elements but those that are most of a large page and can have no shadow root, by the DOM
 * standard (`attachShadow`): left out by the browser, which asks each faster than a script does.
 */
const possibleHosts =
  ":not(a,b,br,button,code,dd,dl,dt,em,form,g,i,img,input,label,li,ol,option,path,rect,script,select,strong,style,svg,table,tbody,td,textarea,th,tr,ul,use)";

interface Watch {
  readonly observer: MutationObserver;
  readonly stop: AbortController;
  count: number;
}

let watch: Watch | null = null;

/** Begins to count what changes in the document and its open shadow roots. */
export function watchChanges(): void {
  end();
  const stop = new AbortController();
  const begun: Watch = {
    observer: new MutationObserver((records) => {
      begun.count += records.length;
    }),
    stop,
    count: 0,
  };
  watch = begun;
  begun.observer.observe(document, watched);
  for (const root of shadowRoots(document)) begun.observer.observe(root, watched);
  const options = { capture: true, passive: true, signal: stop.signal };
  const noteEvent = (): void => {
    begun.count += 1;
  };
  for (const type of tellingEvents) addEventListener(type, noteEvent, options);
  const noteFocus = (event: Event): void => {
    if (isTextField(event.composedPath()[0])) begun.count += 1;
  };
  addEventListener("focus", noteFocus, options);
}

/** How many changes there were since `watchChanges`; null where none was begun in this document. */
export function changesSoFar(): number | null {
  if (watch === null) return null;
  watch.count += watch.observer.takeRecords().length;
  return watch.count;
}

/** As `changesSoFar`; ends the watch. */
export function changesSeen(): number | null {
  const seen = changesSoFar();
  end();
  return seen;
}

function end(): void {
  watch?.observer.disconnect();
  watch?.stop.abort();
  watch = null;
}

function* shadowRoots(root: Document | ShadowRoot): Iterable<ShadowRoot> {
  for (const element of root.querySelectorAll(possibleHosts)) {
    const { shadowRoot } = element;
    if (shadowRoot === null) continue;
    yield shadowRoot;
    yield* shadowRoots(shadowRoot);
  }
}

/** Where a press puts the cursor, so that keys go there from then on. */
export function isTextField(target: EventTarget | undefined): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}
