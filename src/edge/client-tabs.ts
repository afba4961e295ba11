/** How long the beginnings of messages are that are looked at, in bytes. */
const longestHead = 600;

/** How a browser's message about an attached target begins, in any Chromium. */
const attachedStart = Buffer.from('{"method":"Target.attachedToTarget"');
const attachedPage =
  /"params":\{"sessionId":"(\w+)","targetInfo":\{"targetId":"(\w+)","type":"page"/;

/** The commands by which a client works in a tab, or brings it to front. */
const use =
  /"method":"(?:Input\.\w+|Page\.(?:navigate|navigateToHistoryEntry|reload|bringToFront)|DOM\.setFileInputFiles|Target\.activateTarget)"/;

/** Clients may make sessions without end. */
const mostSessions = 1000;

/**
 * Follows in which tab a CDP client works, for those who watch. Only the beginnings and ends of
 * messages are looked at: what is missed or made up misleads nobody but them.
 */
export class ClientTabs {
  /** Target ids by the client's CDP sessions. */
  readonly #tabOfSession = new Map<string, string>();
  /** The tab that the whole connection is for; null for one to the browser. */
  readonly #onlyTab: string | null;
  readonly #onUsed: (targetId: string) => void;

  constructor(onlyTab: string | null, onUsed: (targetId: string) => void) {
    this.#onlyTab = onlyTab;
    this.#onUsed = onUsed;
  }

  /** A message of the browser begins at this place of the bytes. */
  fromBrowser(bytes: Buffer, at: number): void {
    if (!bytes.subarray(at, at + attachedStart.length).equals(attachedStart)) return;
    const match = attachedPage.exec(bytes.toString("latin1", at, at + longestHead));
    const [, session, tab] = match ?? [];
    if (session === undefined || tab === undefined) return;
    if (this.#tabOfSession.size < mostSessions) this.#tabOfSession.set(session, tab);
  }

  fromClient(message: string): void {
    const head = message.slice(0, longestHead);
    if (!use.test(head)) return;
    const tab = this.#tabOf(head, message.slice(-longestHead));
    if (tab !== undefined) this.#onUsed(tab);
  }

  #tabOf(head: string, tail: string): string | undefined {
    if (head.includes('"Target.activateTarget"')) return /"targetId":"(\w+)"/.exec(head)?.[1];
    const session = /"sessionId":"(\w+)"/.exec(tail)?.[1] ?? /"sessionId":"(\w+)"/.exec(head)?.[1];
    return session === undefined ? (this.#onlyTab ?? undefined) : this.#tabOfSession.get(session);
  }
}
