import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the metrics ask of the server each time that they are read. */
export interface MetricSources {
  readonly activeSessions: () => number;
  readonly maxSessions: number;
  /** The kinds of leaks that are counted. */
  readonly leakKinds: readonly string[];
  readonly waitingStarts: () => number;
  readonly warmBrowsers: () => number;
  /** How many hand-overs found a warm browser so far, and how many waited for a launch. */
  readonly poolUse: () => { readonly hits: number; readonly misses: number };
  /** Connections of browsers, those that were refused and those that failed by reason, and bytes. */
  readonly egress: () => {
    readonly connections: number;
    readonly refused: Readonly<Record<string, number>>;
    readonly failed: Readonly<Record<string, number>>;
    readonly requestBytes: number;
    readonly responseBytes: number;
  };
  /** Null where it cannot be told. */
  readonly browsersMemoryBytes: () => Promise<number | null>;
  readonly cdp: () => {
    readonly connections: number;
    /** Bytes relayed so far. */
    readonly bytesToClients: number;
    readonly bytesToBrowsers: number;
  };
}

/** Starts take from a few ms (warm) to some seconds (a launch on a busy machine), in s. */
const startBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const requestBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The numbers that Prometheus reads of this server (prometheus.io/docs/instrumenting/exposition_formats). */
export class Metrics {
  readonly #registry = new Registry();
  readonly #started: Counter;
  readonly #ended: Counter<"reason">;
  readonly #leaks: Counter<"kind">;
  readonly #startSeconds: Histogram;
  readonly #startParts: Histogram<"part">;
  readonly #waits: Histogram<"outcome">;
  readonly #requests: Histogram<"method" | "route" | "status">;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#started = new Counter({
      name: "nightjar_sessions_started_total",
      help: "Sessions that were started.",
      registers,
    });
    this.#ended = new Counter({
      name: "nightjar_sessions_ended_total",
      help: "Sessions that ended, by end reason.",
      labelNames: ["reason"],
      registers,
    });
    this.#leaks = new Counter({
      name: "nightjar_leaks_repaired_total",
      help: "What was left over and had to be repaired, by kind: each is a bug or a hand from outside.",
      labelNames: ["kind"],
      registers,
    });
    // Zero is what is watched for, so it stands there from the beginning.
    for (const kind of sources.leakKinds) this.#leaks.inc({ kind }, 0);
    this.#startSeconds = new Histogram({
      name: "nightjar_session_start_seconds",
      help: "From the request for a session to its row in the store, the wait for room included.",
      buckets: startBuckets,
      registers,
    });
    this.#startParts = new Histogram({
      name: "nightjar_session_start_part_seconds",
      help: "The parts of session starts: the wait for room, the browser, the row in the store.",
      labelNames: ["part"],
      buckets: startBuckets,
      registers,
    });
    this.#waits = new Histogram({
      name: "nightjar_admission_wait_seconds",
      help: "How long starts waited for room, by what became of them.",
      labelNames: ["outcome"],
      buckets: startBuckets,
      registers,
    });
    this.#requests = new Histogram({
      name: "nightjar_http_request_seconds",
      help: "Requests by route and status, until their answer was sent.",
      labelNames: ["method", "route", "status"],
      buckets: requestBuckets,
      registers,
    });
    this.#gauge("nightjar_sessions_active", "Sessions that run now.", sources.activeSessions);
    this.#gauge(
      "nightjar_sessions_max",
      "Sessions that may run at once.",
      () => sources.maxSessions,
    );
    this.#gauge(
      "nightjar_starts_waiting",
      "Starts that wait for room in the queue.",
      sources.waitingStarts,
    );
    this.#gauge(
      "nightjar_warm_browsers",
      "Browsers that are ready to be handed over.",
      sources.warmBrowsers,
    );
    this.#gauge(
      "nightjar_cdp_connections",
      "CDP clients that are connected.",
      () => sources.cdp().connections,
    );
    this.#total(
      "nightjar_pool_hits_total",
      "Sessions that were given a browser that was ready.",
      () => sources.poolUse().hits,
    );
    this.#total(
      "nightjar_pool_misses_total",
      "Sessions that waited for the launch of a browser.",
      () => sources.poolUse().misses,
    );
    this.#gauge(
      "nightjar_browsers_memory_bytes",
      "What all browsers have in memory (PSS); NaN where it cannot be told.",
      async () => (await sources.browsersMemoryBytes()) ?? Number.NaN,
    );
    this.#total(
      "nightjar_cdp_to_client_bytes_total",
      "Bytes relayed from browsers to CDP clients.",
      () => sources.cdp().bytesToClients,
    );
    this.#total(
      "nightjar_cdp_to_browser_bytes_total",
      "Bytes relayed from CDP clients to browsers.",
      () => sources.cdp().bytesToBrowsers,
    );
    this.#total(
      "nightjar_egress_connections_total",
      "Connections that browsers asked their way out for.",
      () => sources.egress().connections,
    );
    this.#totals(
      "nightjar_egress_refused_total",
      "Connections that the policy refused, by what was against them.",
      () => sources.egress().refused,
    );
    this.#totals(
      "nightjar_egress_failed_total",
      "Connections that did not come about, by reason.",
      () => sources.egress().failed,
    );
    this.#total(
      "nightjar_egress_sent_bytes_total",
      "Bytes that browsers sent over the network.",
      () => sources.egress().requestBytes,
    );
    this.#total(
      "nightjar_egress_received_bytes_total",
      "Bytes that browsers received over the network.",
      () => sources.egress().responseBytes,
    );
  }

  /** What each part of the start took, in ms. */
  sessionStarted(took: {
    readonly waitMs: number;
    readonly browserMs: number;
    readonly rowMs: number;
  }): void {
    this.#started.inc();
    this.#startSeconds.observe((took.waitMs + took.browserMs + took.rowMs) / 1000);
    this.#startParts.observe({ part: "wait" }, took.waitMs / 1000);
    this.#startParts.observe({ part: "browser" }, took.browserMs / 1000);
    this.#startParts.observe({ part: "row" }, took.rowMs / 1000);
  }

  /** `waitedMs`: how long a start waited for room; `outcome`: what became of it, from a closed list. */
  startWaited(waitedMs: number, outcome: string): void {
    this.#waits.observe({ outcome }, waitedMs / 1000);
  }

  sessionEnded(reason: string): void {
    this.#ended.inc({ reason });
  }

  leakRepaired(kind: string): void {
    this.#leaks.inc({ kind });
  }

  /** `route`: as it was declared, so that ids make no metrics of their own; empty for unknown routes. */
  requestAnswered(method: string, route: string, status: number, elapsedMs: number): void {
    const labels = { method, route: route === "" ? "unknown" : route, status: String(status) };
    this.#requests.observe(labels, elapsedMs / 1000);
  }

  /** The text that Prometheus reads, and its content type. */
  async text(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read());
      },
    });
  }

  /** As `#total`, one for each reason. */
  #totals(name: string, help: string, read: () => Readonly<Record<string, number>>): void {
    new Counter({
      name,
      help,
      labelNames: ["reason"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(read())) this.inc({ reason }, count);
      },
    });
  }

  /** A number that only ever grows, and that somebody else counts. */
  #total(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
