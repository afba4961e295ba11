import { type ApiClient, messageOf } from "../api/api-client.ts";
import { sessionPath } from "../api/queries.ts";
import type { Session, StartRequest } from "../api/types.ts";

/** What the dialog holds, as it was typed. */
export interface StartForm {
  readonly url: string;
  /** `width x height`, or empty for the server's default. */
  readonly viewport: string;
  readonly browserType: string;
  readonly idleMinutes: string;
  readonly maxMinutes: string;
  readonly recording: boolean;
  readonly recordBodies: boolean;
  readonly userAgent: string;
  readonly proxy: string;
}

/** What is filled in at first: an idle timeout that leaves a person time to look. */
export const startForm: StartForm = {
  url: "",
  viewport: "1280x720",
  browserType: "chromium",
  idleMinutes: "10",
  maxMinutes: "30",
  recording: true,
  recordBodies: false,
  userAgent: "",
  proxy: "",
};

export const viewports = [
  { value: "1280x720", name: "1280 × 720" },
  { value: "", name: "1280 × 1080, the default" },
  { value: "1440x900", name: "1440 × 900" },
  { value: "1920x1080", name: "1920 × 1080" },
  { value: "820x1180", name: "820 × 1180, a tablet" },
  { value: "390x844", name: "390 × 844, a phone" },
] as const;

/** Starts the session and opens its first page; `problem` says why that page did not open. */
export async function startSession(
  api: ApiClient,
  form: StartForm,
): Promise<{ readonly session: Session; readonly problem: string | null }> {
  const session = await api.call<Session>("/sessions/start", {
    method: "POST",
    body: toRequest(form),
  });
  const url = form.url.trim();
  if (url === "") return { session, problem: null };
  try {
    const done = await api.call<{ success: boolean; message: string }>(
      sessionPath(session.session_id, "page/execute"),
      { method: "POST", body: { type: "goto", url: withScheme(url) } },
    );
    return { session, problem: done.success ? null : done.message };
  } catch (error) {
    return { session, problem: messageOf(error) };
  }
}

export function toRequest(form: StartForm): StartRequest {
  const [width, height] = form.viewport.split("x").map(Number);
  const userAgent = form.userAgent.trim();
  const proxy = form.proxy.trim();
  return {
    idle_timeout_minutes: Number(form.idleMinutes),
    max_duration_minutes: Number(form.maxMinutes),
    ...(width && height ? { viewport_width: width, viewport_height: height } : {}),
    ...(form.browserType === "chromium" ? {} : { browser_type: form.browserType }),
    ...(userAgent === "" ? {} : { user_agent: userAgent }),
    // Servers from before there were recordings do not know the field.
    ...(form.recording ? {} : { recording: false }),
    ...(form.recording && form.recordBodies ? { recording: true, record_bodies: true } : {}),
    ...(proxy === "" ? {} : { proxies: [toProxy(proxy)] }),
  };
}

function toProxy(text: string) {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null) return { type: "external" as const, server: text };
  const { protocol, host, username, password } = url;
  return {
    type: "external" as const,
    server: `${protocol}//${host}`,
    ...(username === "" ? {} : { username: decodeURIComponent(username) }),
    ...(password === "" ? {} : { password: decodeURIComponent(password) }),
  };
}

/** What a person types into an address bar: `example.com` means https. */
function withScheme(url: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(url) && !/^[\w.-]+:\d/.test(url) ? url : `https://${url}`;
}
