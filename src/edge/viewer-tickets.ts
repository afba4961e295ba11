import type { Capabilities } from "../sessions/capabilities.ts";
import { NightjarError } from "../sessions/errors.ts";
import { tokenIn } from "./url-token.ts";

/** What the holder of a ticket may do in the live view of a session. */
export const viewerAccesses = ["control", "watch"] as const;

export type ViewerAccess = (typeof viewerAccesses)[number];

export interface ViewerTicket {
  readonly sessionId: string;
  readonly access: ViewerAccess;
}

/** How long a link to a live view can be opened unless something else is asked for, in s. */
export const viewerLinkLifeSeconds = 900;

/** The links in answers change only so often, in s: who asks again and again need not open them anew. */
const linkChangesEverySeconds = 300;

/** When a link that is made now cannot be opened any more, in epoch s. */
export function viewerLinkEnd(lifeSeconds = viewerLinkLifeSeconds, now = Date.now()): number {
  return Math.floor(now / 1000) + lifeSeconds;
}

/** The same for the links that a session's answers carry: 10 to 15 minutes from now. */
export function answeredLinkEnd(now = Date.now()): number {
  const begun = Math.floor(now / 1000 / linkChangesEverySeconds) * linkChangesEverySeconds;
  return begun + viewerLinkLifeSeconds;
}

/** The query of a link to the live view, good until `expiresAt` (epoch s). */
export function viewerQuery(
  capabilities: Capabilities,
  { sessionId, access }: ViewerTicket,
  expiresAt: number,
): URLSearchParams {
  const ticket = capabilities.expiringToken("viewer", subjectOf({ sessionId, access }), expiresAt);
  return new URLSearchParams({
    session: sessionId,
    access,
    expires: String(expiresAt),
    ticket,
  });
}

/** What a link opens. Throws `unauthorized` for a ticket that is none, `link_expired` for an old one. */
export function checkViewerQuery(
  capabilities: Capabilities,
  query: URLSearchParams,
  now = Date.now(),
): ViewerTicket {
  const sessionId = query.get("session") ?? "";
  const access = query.get("access") === "control" ? "control" : "watch";
  const expires = query.get("expires") ?? "";
  const expiresAt = /^\d{1,12}$/.test(expires) ? Number(expires) : 0;
  const ticket = { sessionId, access } as const;
  const token = tokenIn(new URLSearchParams({ token: query.get("ticket") ?? "" }));
  if (!capabilities.verifyExpiring("viewer", subjectOf(ticket), expiresAt, token)) {
    throw new NightjarError(
      "unauthorized",
      "This link to the live view is not valid. Use the session's viewer_url as it was answered.",
    );
  }
  if (expiresAt * 1000 < now) {
    throw new NightjarError(
      "link_expired",
      "The time of this link to the live view is over. Ask for the session again to get a new one.",
    );
  }
  return ticket;
}

function subjectOf({ sessionId, access }: ViewerTicket): string {
  return JSON.stringify([sessionId, access]);
}
