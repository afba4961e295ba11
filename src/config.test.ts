import { describe, expect, test } from "vitest";
import { ConfigError, loadConfig, settingsSchema } from "./config.ts";

describe("without any setting", () => {
  test("the server listens on loopback alone, with everything at its default", () => {
    expect(loadConfig({ HOME: "/home/me", PATH: "/bin" })).toMatchObject({
      host: "127.0.0.1",
      port: 7777,
      publicUrl: null,
      apiKey: null,
      maxSessionsPerTenant: null,
      maxSessionsPerKey: null,
      startsPerMinutePerTenant: null,
      startsPerMinutePerKey: null,
      memoryReserveBytes: 256 * 1024 ** 2,
      diskReserveBytes: 512 * 1024 ** 2,
      queueLength: 100,
      queueTimeoutMs: 30_000,
      maxSessionMinutes: 1440,
      warmPool: 4,
      allowNoSandbox: false,
      egressAllow: [],
      onStop: "close",
      drainTimeoutMs: 0,
      logLevel: "info",
    });
  });

  test("at least one session fits, whatever the memory", () => {
    expect(loadConfig({}).maxSessions).toBeGreaterThanOrEqual(1);
  });
});

describe("settings", () => {
  test("are read with their types", () => {
    const config = loadConfig({
      NIGHTJAR_PORT: "0",
      NIGHTJAR_PUBLIC_URL: "https://browsers.example.com/nightjar/",
      NIGHTJAR_DATA_DIR: "data",
      NIGHTJAR_MAX_SESSIONS: "12",
      NIGHTJAR_WARM_POOL: "0",
      NIGHTJAR_ALLOW_NO_SANDBOX: "1",
      NIGHTJAR_EGRESS_ALLOW: "10.0.0.0/8, 127.0.0.1,",
      NIGHTJAR_ON_STOP: "keep",
    });
    expect(config).toMatchObject({
      port: 0,
      publicUrl: "https://browsers.example.com/nightjar",
      maxSessions: 12,
      warmPool: 0,
      allowNoSandbox: true,
      egressAllow: ["10.0.0.0/8", "127.0.0.1"],
      onStop: "keep",
    });
    expect(config.dataDir).toBe(`${process.cwd()}/data`);
  });

  test("that are unknown stop the start with a message that names them and those there are", () => {
    const load = (): unknown => loadConfig({ NIGHTJAR_PROT: "1" });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/NIGHTJAR_PROT\b.*NIGHTJAR_PORT\b/);
  });

  test("that are unknown are never repeated with their value", () => {
    const load = (): unknown => loadConfig({ NIGHTJAR_API_KYE: "a-very-secret-value" });
    expect(load).toThrow(/NIGHTJAR_API_KYE/);
    expect(load).not.toThrow(/a-very-secret-value/);
  });

  test.each([
    ["NIGHTJAR_HOST", ""],
    ["NIGHTJAR_PORT", "-1"],
    ["NIGHTJAR_PORT", "65536"],
    ["NIGHTJAR_PORT", "http"],
    ["NIGHTJAR_PORT", "80.5"],
    ["NIGHTJAR_PORT", ""],
    ["NIGHTJAR_PORT", " "],
    ["NIGHTJAR_PUBLIC_URL", "browsers.example.com"],
    ["NIGHTJAR_PUBLIC_URL", "ftp://browsers.example.com"],
    ["NIGHTJAR_DATA_DIR", ""],
    ["NIGHTJAR_API_KEY", ""],
    ["NIGHTJAR_MAX_SESSIONS", "0"],
    ["NIGHTJAR_MAX_SESSIONS", "many"],
    ["NIGHTJAR_MAX_SESSIONS_PER_TENANT", "0"],
    ["NIGHTJAR_MAX_SESSION_MINUTES", "0"],
    ["NIGHTJAR_MAX_SESSION_MINUTES", "1441"],
    ["NIGHTJAR_WARM_POOL", "-1"],
    ["NIGHTJAR_WARM_POOL", "101"],
    ["NIGHTJAR_WARM_POOL", ""],
    ["NIGHTJAR_CHROMIUM", ""],
    ["NIGHTJAR_HEADLESS_SHELL", ""],
    ["NIGHTJAR_ALLOW_NO_SANDBOX", "perhaps"],
    ["NIGHTJAR_FIRST_UID", "0"],
    ["NIGHTJAR_FIRST_UID", "4294967295"],
    ["NIGHTJAR_EGRESS_ALLOW", "localhost"],
    ["NIGHTJAR_EGRESS_ALLOW", "10.0.0.0/8,10.0.0.0/99"],
    ["NIGHTJAR_EGRESS_ALLOW", "10.0.0.0/"],
    ["NIGHTJAR_MODEL", "gpt-5"],
    ["NIGHTJAR_MODEL", "compatible/a-model"],
    ["NIGHTJAR_MODEL", "openai/gpt-5"],
    ["NIGHTJAR_MODEL_URL", "models.example.com/v1"],
    ["NIGHTJAR_MODEL_KEY", ""],
    ["NIGHTJAR_MODEL_TIMEOUT_SECONDS", "0"],
    ["NIGHTJAR_MODEL_MAX_REQUESTS", "0"],
    ["NIGHTJAR_MODEL_MAX_CHARACTERS", "10"],
    ["NIGHTJAR_ON_STOP", "leave"],
    ["NIGHTJAR_LOG_LEVEL", "loud"],
  ])("stop the start when invalid, and the message names %s (%j)", (name, value) => {
    const load = (): unknown => loadConfig({ [name]: value });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(new RegExp(`\\b${name}\\b`));
  });

  test("a key that is refused is not shown", () => {
    const load = (): unknown => loadConfig({ NIGHTJAR_API_KEY: "s3cret-short" });
    expect(load).toThrow(/NIGHTJAR_API_KEY.*at least 16 characters/);
    expect(load).not.toThrow(/s3cret/);
  });

  test("a key is not shown when another setting is refused", () => {
    const environment = { NIGHTJAR_API_KEY: "s3cret-of-enough-length", NIGHTJAR_PORT: "x" };
    expect(() => loadConfig(environment)).toThrow(/NIGHTJAR_PORT/);
    expect(() => loadConfig(environment)).not.toThrow(/s3cret/);
  });

  test("a URL with a password is refused, and the password is not shown", () => {
    const load = (): unknown => loadConfig({ NIGHTJAR_MODEL_URL: "https://me:s3cret@example.com" });
    expect(load).toThrow(/NIGHTJAR_MODEL_URL.*NIGHTJAR_MODEL_KEY/);
    expect(load).not.toThrow(/s3cret/);
  });

  test("of a model are a vendor with its key, or any endpoint with its URL", () => {
    const vendors = loadConfig({ NIGHTJAR_MODEL: "openai/gpt-5", NIGHTJAR_MODEL_KEY: "sk-1" });
    expect(vendors).toMatchObject({ model: "openai/gpt-5", modelUrl: null, modelKey: "sk-1" });
    const url = "http://127.0.0.1:8000/v1/";
    expect(loadConfig({ NIGHTJAR_MODEL: "compatible/a", NIGHTJAR_MODEL_URL: url })).toMatchObject({
      model: "compatible/a",
      modelUrl: "http://127.0.0.1:8000/v1",
      modelKey: null,
    });
  });

  test.each(Object.entries(settingsSchema.shape))("%s says what it means", (_name, schema) => {
    expect(schema.description).toMatch(/\.$/);
  });
});
