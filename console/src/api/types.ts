/** The answers of the API, as far as the console reads them. The server checks; nothing is parsed here. */

export type SessionStatus = "active" | "closed" | "timed_out" | "error";

export type EndReason =
  | "client_stop"
  | "idle_timeout"
  | "max_duration"
  | "browser_crash"
  | "out_of_memory"
  | "node_lost"
  | "server_stop"
  | "policy";

export type ReplayStatus = "none" | "recording" | "processing" | "ready" | "failed";

export interface Session {
  readonly session_id: string;
  readonly status: SessionStatus;
  readonly end_reason: EndReason | null;
  readonly error: string | null;
  readonly created_at: string;
  readonly last_accessed_at: string;
  readonly closed_at: string | null;
  readonly duration: string;
  readonly idle_timeout_minutes: number;
  readonly max_duration_minutes: number;
  readonly cdp_url: string | null;
  readonly viewer_url: string | null;
  readonly browser_type: string;
  readonly headless: boolean;
  readonly user_agent: string | null;
  readonly viewport_width: number | null;
  readonly viewport_height: number | null;
  readonly proxies: boolean;
  readonly steps?: readonly StepRecord[];
  readonly network_request_bytes?: number;
  readonly network_response_bytes?: number;
  readonly replay_status?: ReplayStatus;
  readonly record_bodies?: boolean;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly page: number;
  readonly page_size: number;
  readonly has_next: boolean;
  readonly has_previous: boolean;
  readonly total?: number;
}

/** A step as a session's answer has it. */
export interface StepRecord {
  readonly type: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface Step extends StepRecord {
  readonly position: number;
  readonly started_at: string;
  readonly ended_at: string;
}

/** A step that is under way: what was asked, and where. */
export interface RunningStep extends StepRecord {
  readonly started_at: string;
}

export interface NetworkRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly status: number | null;
  readonly status_text?: string | null;
  readonly type: string | null;
  readonly mime_type?: string | null;
  readonly started_at: string;
  readonly duration_ms: number | null;
  readonly request_bytes?: number | null;
  readonly response_bytes?: number | null;
  readonly initiator?: unknown;
  readonly failure?: string | null;
  readonly from_cache?: boolean;
}

export interface ConsoleMessage {
  readonly at: string;
  readonly level: "log" | "info" | "warning" | "error" | "debug";
  readonly source: "console" | "exception" | "browser";
  readonly text: string;
  readonly url?: string | null;
  readonly line?: number | null;
  readonly column?: number | null;
}

export interface Replay {
  readonly mp4_url?: string | null;
  readonly expires_at: string;
  /** When its first frame was shown: epoch ms, or ms since the session's start. */
  readonly video_start_ms?: number | null;
  readonly video_duration_ms?: number | null;
}

export interface Viewer {
  readonly viewer_url: string;
  readonly expires_at?: string;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly created_at: string;
  readonly revoked_at: string | null;
  readonly is_current: boolean;
}

export interface NewApiKey extends ApiKey {
  readonly key: string;
}

export interface Host {
  readonly versions: { readonly nightjar: string; readonly node: string; readonly browser: string };
  readonly uptime_seconds: number;
  readonly sandbox: boolean;
  readonly draining: boolean;
  readonly sessions: { readonly running: number; readonly max: number };
  readonly warm_browsers: number;
  readonly warm_browsers_target: number;
  readonly queue: { readonly waiting: number; readonly max: number };
  readonly memory: {
    readonly total_bytes: number;
    readonly free_bytes: number;
    readonly server_rss_bytes: number;
    readonly browsers_bytes: number | null;
  };
  readonly cpu: { readonly cores: number; readonly load_percent: number };
  readonly disk: { readonly total_bytes: number; readonly free_bytes: number } | null;
}

/** What the dialog for a new session may ask for. */
export interface StartRequest {
  readonly viewport_width?: number;
  readonly viewport_height?: number;
  readonly idle_timeout_minutes?: number;
  readonly max_duration_minutes?: number;
  readonly browser_type?: string;
  readonly user_agent?: string;
  readonly recording?: boolean;
  readonly record_bodies?: boolean;
  readonly proxies?: readonly {
    readonly type: "external";
    readonly server: string;
    readonly username?: string;
    readonly password?: string;
  }[];
}
