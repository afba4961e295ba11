import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { LocalBrowserHost } from "./browsers/browser-host.ts";
import { FirewallLeaks } from "./browsers/firewall-leaks.ts";
import type { Config } from "./config.ts";
import { readConsole } from "./edge/console-files.ts";
import { buildHttpServer } from "./edge/http-server.ts";
import { SessionFeeds } from "./events/session-feeds.ts";
import { ToldSteps } from "./events/told-steps.ts";
import { descriptorLimit } from "./host/descriptor-limit.ts";
import { LocalHostGauge } from "./host/host-gauge.ts";
import { hostStatus } from "./host-status.ts";
import { LiveViews } from "./live/live-views.ts";
import { outsideRequests } from "./log-scope.ts";
import { Metrics } from "./metrics/metrics.ts";
import { createStructuredExtractor } from "./models/structured-model.ts";
import { PageService } from "./pages/page-service.ts";
import { StepLog } from "./pages/step-log.ts";
import { chooseEncoder, findBrowsers, ownVersion, prepareKeys } from "./preparation.ts";
import { ProfileKeeper } from "./profiles/profile-keeper.ts";
import { ProfileService } from "./profiles/profile-service.ts";
import { StateFiles } from "./profiles/state-files.ts";
import { protectHost } from "./protection.ts";
import { RecordingFolders } from "./recording/recording-folder.ts";
import { RecordingLeaks } from "./recording/recording-leaks.ts";
import { RecordingSystem } from "./recording/recording-system.ts";
import { SessionLogs } from "./recording/session-logs.ts";
import { SessionScreencasts } from "./recording/session-screencasts.ts";
import { StoredLogs } from "./recording/stored-logs.ts";
import { sessionObserver } from "./session-observer.ts";
import { Capabilities } from "./sessions/capabilities.ts";
import { bytesPerIdleBrowser } from "./sessions/host-room.ts";
import type { Clock } from "./sessions/ports.ts";
import { leakKinds, Reconciler } from "./sessions/reconciler.ts";
import { SessionLeaks } from "./sessions/session-leaks.ts";
import { removeOldSessions } from "./sessions/session-retention.ts";
import { SessionService } from "./sessions/session-service.ts";
import { systemClock } from "./sessions/system-clock.ts";
import { noTracer } from "./sessions/tracer.ts";
import { DownloadCollector } from "./storage/download-collector.ts";
import { FileStorage } from "./storage/file-storage.ts";
import { removeOldDownloads } from "./storage/retention.ts";
import { SessionFileAccess } from "./storage/session-file-access.ts";
import { ApiKeyRecords } from "./store/api-key-records.ts";
import { lockDataDirectory, openDataDirectory } from "./store/data-directory.ts";
import { EndedSessionRecords } from "./store/ended-session-records.ts";
import { ProfileRecords } from "./store/profile-records.ts";
import { RecordingRecords } from "./store/recording-records.ts";
import { announceServer, withdrawServer } from "./store/running-server.ts";
import { serverSecret } from "./store/server-secrets.ts";
import { SessionRecords } from "./store/session-records.ts";
import { embeddedNodeId, openSqlite } from "./store/sqlite.ts";
import { StepRecords } from "./store/step-records.ts";
import { TenantRecords } from "./store/tenant-records.ts";
import { startTracing } from "./tracing/tracing.ts";

/** Connections that are taken at once where the system has descriptors for many more: each costs about 10 kB. */
const mostConnections = 10_000;
/** How often it is looked for what has leaked, in ms: a look takes about 10 ms of CPU. */
const reconcileEveryMs = 5000;

/** The time of day. What it calls back belongs to no request, whoever set the timer. */
const clock: Clock = {
  now: () => systemClock.now(),
  callAt: (at, callback) => systemClock.callAt(at, () => outsideRequests(callback)),
};

/** How long open requests may take when the server stops, in ms. */
const closeTimeoutMs = 3000;

/** How long the last downloads may take to be stored when the server stops, in ms. */
const downloadsTimeoutMs = 5000;

export interface RunningServer {
  /** Where it listens, e.g. `http://127.0.0.1:7777`. */
  readonly url: string;
  /** The API key that this start made; null when there was one before or the operator chose it. */
  readonly newApiKey: string | null;
  /**
   * Takes no new sessions from now on, and resolves when none runs any more, when their time to go on
   * is over, or when the signal is aborted.
   */
  drain(hurry: AbortSignal): Promise<void>;
  /** Ends or keeps the sessions as configured, then everything else. Bounded: see `serve`. */
  stop(): Promise<void>;
}

/** Builds the parts in order, takes up what an earlier process left, and serves. */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const directory = openDataDirectory(config.dataDir);
  const unlock = lockDataDirectory(directory);
  withdrawServer(directory);
  const database = await openSqlite(directory.databaseFile);
  const version = await ownVersion();
  const tracing = await startTracing(version, logger);
  const tracer = tracing?.tracer ?? noTracer;
  const keys = new ApiKeyRecords(database);
  const tenants = new TenantRecords(database);
  const executables = await findBrowsers(config, logger);
  const protection = await protectHost(config, executables, directory, logger);
  const { sandbox, memoryCaps, firewall } = protection;

  const onFailure = (what: string, error: unknown): void => {
    logger.error({ err: error }, `failed to ${what}`);
  };
  const fileLimits = { fileBytes: config.maxFileBytes, totalBytes: config.maxFilesBytes };
  const host = new LocalBrowserHost({
    executables,
    browsersDirectory: directory.browsersDirectory,
    sandbox,
    warmPoolSize: Math.min(config.warmPool, config.maxSessions),
    firstUid: config.firstUid,
    memoryCaps,
    egress: {
      allow: config.egressAllow,
      allowHosts: config.egressAllowHosts,
      denyHosts: config.egressDenyHosts,
      dnsServers: config.dnsServers,
      defaultProxy:
        config.proxy === null ? null : { server: config.proxy, bypass: config.proxyBypass },
    },
    egressAllowOf: (tenantId) => tenants.egressAllowOf(tenantId),
    downloadLimits: fileLimits,
    onFailure,
  });
  const gauge = new LocalHostGauge({
    dataDirectory: directory.root,
    idleBytes: () => host.warmCount * bytesPerIdleBrowser,
  });
  const files = await FileStorage.open({ directory: directory.filesDirectory, limits: fileLimits });
  const downloads = new DownloadCollector({
    storage: files,
    onDropped: (sessionId, { suggestedName }, reason) =>
      logger.warn(
        { session_id: sessionId, name: suggestedName, reason },
        "a download was not stored",
      ),
  });
  const recordingFolders = new RecordingFolders(directory.recordingsDirectory);
  const logs = new SessionLogs({
    folders: recordingFolders,
    onFailure: (what, sessionId, error) =>
      logger.warn({ err: error, session_id: sessionId }, `failed to ${what}`),
  });
  const cdpTraffic = { connections: 0, bytesToClients: 0, bytesToBrowsers: 0 };
  const metrics = new Metrics({
    activeSessions: () => sessions.activeCount,
    maxSessions: config.maxSessions,
    leakKinds,
    waitingStarts: () => sessions.waitingCount,
    warmBrowsers: () => host.warmCount,
    poolUse: () => host.poolUse,
    egress: () => host.egressCounts,
    browsersMemoryBytes: () => host.memoryBytes(),
    cdp: () => cdpTraffic,
  });
  const profileParts = {
    store: new ProfileRecords(database),
    files: new StateFiles({
      directory: directory.profilesDirectory,
      mostBytes: config.maxProfileBytes,
    }),
    clock,
  };
  const profiles = new ProfileService({
    ...profileParts,
    gauge,
    diskReserveBytes: config.diskReserveBytes,
  });
  await profiles.sweep();
  const profileKeeper = new ProfileKeeper({
    ...profileParts,
    saveEveryMs: config.profileSaveEveryMs,
    room: {
      mostBytes: config.maxProfileBytes,
      mostSiteBytes: config.maxProfileBytes / 2,
      mostDatabaseBytes: config.maxProfileBytes / 4,
    },
    onProblem: (profileId, sessionId, what, error) =>
      logger.warn({ err: error, profile_id: profileId, session_id: sessionId }, what),
  });
  const store = new SessionRecords(database);
  const sessions: SessionService = new SessionService({
    store,
    host,
    gauge,
    profiles: profileKeeper,
    clock,
    tracer,
    nodeId: embeddedNodeId,
    maxSessionMinutes: config.maxSessionMinutes,
    recordByDefault: config.recordByDefault,
    limits: {
      ...config,
      reserve: { memoryBytes: config.memoryReserveBytes, diskBytes: config.diskReserveBytes },
    },
    observer: sessionObserver({
      metrics,
      logger,
      feeds: () => feeds,
      stepLog: () => stepLog,
      onRunning: (session, browser) => {
        sessions.onEnd(session.id, profileKeeper.keep(session, browser));
        sessions.onEnd(session.id, downloads.collect(session, browser));
        sessions.onEnd(session.id, logs.keep(session, browser));
        recording.record(session, browser);
      },
    }),
  });
  const screencasts = new SessionScreencasts(sessions);
  const recording: RecordingSystem = new RecordingSystem({
    folders: recordingFolders,
    store: new RecordingRecords(database),
    encoder: await chooseEncoder(config, directory.encodingDirectory, logger),
    screencasts: (id) => screencasts.of(id),
    onEnd: (id, listener) => sessions.onEnd(id, listener),
    findSession: (id) => sessions.find(id),
    clock,
    tracer,
    mostBytes: config.maxRecordingBytes,
    totalBytes: config.maxRecordingsBytes,
    retentionHours: config.recordingRetentionHours,
    onReady: (sessionId) => logger.info({ session_id: sessionId }, "replay ready"),
    onThinned: (sessionId) =>
      logger.warn(
        { session_id: sessionId },
        "the recording has used half of its room: fewer pictures are taken from now on",
      ),
    onFailure: (what, sessionId, error) =>
      logger.error({ err: error, session_id: sessionId }, `failed to ${what}`),
  });
  const steps = new ToldSteps(new StepRecords(database), (sessionId, position) =>
    feeds.stepAdded(sessionId, position),
  );
  const stepLog: StepLog = new StepLog({
    steps,
    onStarted: (sessionId, started) => feeds.stepStarted(sessionId, started),
    onFailure: (what, sessionId, error) =>
      logger.error({ err: error, session_id: sessionId }, `failed to ${what}`),
  });
  const views = new LiveViews(sessions, screencasts);
  const feeds: SessionFeeds = new SessionFeeds({
    clock,
    steps,
    runningStep: (sessionId) => stepLog.runningIn(sessionId),
    screencasts,
    findSession: (id) => sessions.find(id),
    onFailure: (what, sessionId, error) =>
      logger.warn({ err: error, session_id: sessionId }, `failed to ${what}`),
  });
  await stepLog
    .interruptLeft(embeddedNodeId)
    .catch((error: unknown) => onFailure("write down the steps that were interrupted", error));
  await sessions.recover();
  recording.start();
  const stopDownloadRetention = removeOldDownloads({
    storage: files,
    findSession: (id) => sessions.find(id),
    clock,
    hours: config.downloadRetentionHours,
    onFailure: (error) => onFailure("remove old downloads", error),
  });
  const stopSessionRetention = removeOldSessions({
    store: new EndedSessionRecords(database),
    removeFiles: async (id) => {
      const session = await sessions.find(id);
      if (session !== null) await recording.recordings.remove(session);
      await files.removeDownloads(id);
    },
    clock,
    days: config.sessionRetentionDays,
    onFailure: (id, error) =>
      logger.error({ err: error, session_id: id }, "failed to remove an old session"),
  });

  const extractor = createStructuredExtractor({
    ...config,
    onFailure: (detail) => logger.warn({ detail }, "the model's vendor failed"),
  });
  const pages = new PageService({
    sessions,
    steps,
    log: stepLog,
    tracer,
    extractor,
    filesOf: (tenantId, sessionId) =>
      new SessionFileAccess({ files, downloads, tenantId, sessionId }),
    onTabUsed: (sessionId, targetId) => screencasts.activate(sessionId, targetId),
    isControlled: (sessionId) => views.isControlled(sessionId),
  });

  const reconciler = new Reconciler({
    finders: [
      new SessionLeaks({
        store,
        sessions,
        nodeId: embeddedNodeId,
        handedOut: () => host.handedOut,
      }),
      host.leaks,
      new RecordingLeaks(recordingFolders, async (id) => (await store.find(id)) !== null),
      ...(firewall.firewall === null ? [] : [new FirewallLeaks(firewall.firewall)]),
    ],
    clock,
    everyMs: reconcileEveryMs,
    onRepaired: ({ kind, name }) => {
      metrics.leakRepaired(kind);
      logger.warn({ kind, name }, "repaired a leak");
    },
    onFailure,
  });

  const browser = executables.headlessShell ?? executables.chromium;
  const server = await buildHttpServer({
    sessions,
    pages,
    steps,
    stepLog,
    feeds,
    screencasts,
    views,
    logs: new StoredLogs(recordingFolders),
    extractor,
    files,
    profiles,
    recordings: recording.recordings,
    downloads,
    keys,
    capabilities: new Capabilities(await serverSecret(database, "capabilities")),
    health: () => ({
      draining: sessions.draining,
      version,
      activeSessions: sessions.activeCount,
      maxSessions: config.maxSessions,
      warmBrowsers: host.warmCount,
      browser: browser === null ? "" : `${browser.kind} ${browser.version}`,
      sandbox,
      devtoolsClosed: firewall.firewall !== null,
      memoryCap: memoryCaps.kind,
      leaksRepaired: reconciler.repairedCount,
    }),
    hostStatus: hostStatus({
      version,
      browser,
      sandbox,
      sessions,
      gauge,
      maxSessions: config.maxSessions,
      queueLength: config.queueLength,
      host,
      warmPoolSize: Math.min(config.warmPool, config.maxSessions),
    }),
    console: await readConsole(fileURLToPath(new URL("./console/", import.meta.url))),
    publicUrl: config.publicUrl,
    embedOrigins: config.embedOrigins,
    maxSessionMinutes: config.maxSessionMinutes,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    maxFailedAuthentications: config.maxFailedAuthentications,
    requestsPerMinutePerKey: config.requestsPerMinutePerKey,
    // The rest is for browsers, files and the store.
    maxConnections: Math.min(mostConnections, Math.floor(descriptorLimit() / 2)),
    pingEveryMs: config.pingEveryMs,
    metrics,
    metricsToken: config.metricsToken,
    cdpTraffic,
    maxSessions: config.maxSessions,
    queueLength: config.queueLength,
    version,
    tracer: tracing?.tracer ?? null,
    logger,
  });
  try {
    await server.listen({ host: config.host, port: config.port });
  } catch (error) {
    // Without a server there is nobody to hold the sessions' deadlines; the next start takes them up.
    await host.stop("keep");
    throw error;
  }
  host.startWarming();
  reconciler.start();
  // Last of all: a key that is made by a start that fails would be lost.
  const newApiKey = await prepareKeys(keys, config.apiKey);
  const address = server.server.address() as AddressInfo;
  const url = `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
  try {
    announceServer(directory, url);
  } catch (error) {
    // Only other commands of this machine need it.
    onFailure("say where the server is reached", error);
  }

  return {
    url,
    newApiKey,
    async drain(hurry) {
      sessions.drain();
      const running = sessions.activeCount;
      const timeoutMs = config.drainTimeoutMs;
      if (running === 0 || timeoutMs === 0 || hurry.aborted) return;
      logger.info({ running, timeout_seconds: timeoutMs / 1000 }, "draining");
      const over = AbortSignal.any([hurry, AbortSignal.timeout(timeoutMs)]);
      await Promise.race([sessions.emptied(), once(over, "abort")]);
      logger.info({ running: sessions.activeCount, hurried: hurry.aborted }, "drained");
    },
    async stop() {
      const closed = server.close();
      const housekeeping = [stopDownloadRetention(), stopSessionRetention(), reconciler.stop()];
      await sessions.shutDown(config.onStop);
      // Who follows a session is told how its last step ended before the session's end.
      await stepLog.settled();
      feeds.leave();
      await Promise.all(housekeeping);
      await recording.stop();
      // Before the browsers' directories go.
      await downloads.allSettled(downloadsTimeoutMs);
      await host.stop(config.onStop);
      if (config.onStop === "close") await firewall.firewall?.lower().catch(() => {});
      await Promise.race([closed, delay(closeTimeoutMs, undefined, { ref: false })]);
      server.server.closeAllConnections();
      await tracing?.stop();
      await database.close();
      withdrawServer(directory);
      unlock();
    },
  };
}
