import { expect, test } from "vitest";
import { ClientTabs } from "./client-tabs.ts";

const attached = (session: string, tab: string, type = "page") =>
  Buffer.from(
    `{"method":"Target.attachedToTarget","params":{"sessionId":"${session}","targetInfo":{"targetId":"${tab}","type":"${type}","title":""}}}`,
  );

test("A client's tab is the one that it works in, by whatever session", () => {
  const used: string[] = [];
  const tabs = new ClientTabs(null, (tab) => used.push(tab));
  tabs.fromBrowser(Buffer.concat([Buffer.from("...."), attached("S1", "T1")]), 4);
  tabs.fromBrowser(attached("S2", "T2"), 0);
  tabs.fromBrowser(attached("S3", "F3", "iframe"), 0);
  tabs.fromBrowser(Buffer.from('{"method"'), 0);
  const send = (message: object) => tabs.fromClient(JSON.stringify(message));
  send({ id: 1, method: "Page.navigate", params: { url: "https://a/" }, sessionId: "S1" });
  send({ method: "Input.insertText", params: { text: "x".repeat(5000) }, id: 2, sessionId: "S2" });
  send({ sessionId: "S1", id: 3, method: "Page.bringToFront" });
  send({ id: 4, method: "Target.activateTarget", params: { targetId: "T2" } });
  send({ id: 5, method: "Runtime.evaluate", params: {}, sessionId: "S1" });
  send({ id: 6, method: "Page.reload", params: {}, sessionId: "S3" });
  expect(used).toEqual(["T1", "T2", "T1", "T2"]);
  new ClientTabs("T9", (tab) => used.push(tab)).fromClient('{"id":1,"method":"Page.reload"}');
  expect(used.at(-1)).toBe("T9");
});
