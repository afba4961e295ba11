import { expect, test } from "vitest";
import { startForm, toRequest } from "./start-session.ts";

test("a form as it opens asks for little", () => {
  expect(toRequest(startForm)).toEqual({
    viewport_width: 1280,
    viewport_height: 720,
    idle_timeout_minutes: 10,
    max_duration_minutes: 30,
  });
});

test("a proxy may be written as one URL, with or without a scheme", () => {
  const proxyOf = (proxy: string) => toRequest({ ...startForm, proxy }).proxies?.[0];
  expect(proxyOf("http://ada:s%40fe@proxy.example:8080")).toEqual({
    type: "external",
    server: "http://proxy.example:8080",
    username: "ada",
    password: "s@fe",
  });
  expect(proxyOf(" proxy.example:3128 ")).toEqual({
    type: "external",
    server: "http://proxy.example:3128",
  });
  expect(proxyOf("socks5://10.0.0.1:1080")).toMatchObject({ server: "socks5://10.0.0.1:1080" });
});

test("what was changed is asked for", () => {
  const request = toRequest({
    ...startForm,
    viewport: "",
    browserType: "chrome",
    recording: false,
    userAgent: " Lamp/1 ",
  });
  expect(request).toMatchObject({ browser_type: "chrome", recording: false, user_agent: "Lamp/1" });
  expect(request).not.toHaveProperty("viewport_width");
  // Without a recording there is nothing that they could be kept in.
  const bodies = { ...startForm, recordBodies: true };
  expect(toRequest(bodies)).toMatchObject({ recording: true, record_bodies: true });
  expect(toRequest({ ...bodies, recording: false })).not.toHaveProperty("record_bodies");
});
