import { describe, expect, test } from "vitest";
import { loggedUrl, maskHeaders, maskText } from "./masking.ts";

describe("Masking", () => {
  test("takes the values of headers that let somebody in", () => {
    const headers = {
      Authorization: "Bearer one",
      "proxy-authorization": "Basic two",
      Cookie: "a=three",
      "set-cookie": "b=four",
      "X-Api-Key": "five",
      "x-amz-security-token": "six",
      "X-Auth-Key": "a",
      "x-auth": "b",
      "Ocp-Apim-Subscription-Key": "c",
      "X-Functions-Key": "d",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "X-Author": "Ada",
      Keys: "two",
      "Content-Type": "text/html",
      Referer: "https://example.com/?session_id=seven&page=2",
    };
    expect(maskHeaders(headers)).toEqual({
      Authorization: "[masked]",
      "proxy-authorization": "[masked]",
      Cookie: "[masked]",
      "set-cookie": "[masked]",
      "X-Api-Key": "[masked]",
      "x-amz-security-token": "[masked]",
      "X-Auth-Key": "[masked]",
      "x-auth": "[masked]",
      "Ocp-Apim-Subscription-Key": "[masked]",
      "X-Functions-Key": "[masked]",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "X-Author": "Ada",
      Keys: "two",
      "Content-Type": "text/html",
      Referer: "https://example.com/?session_id=[masked]&page=2",
    });
  });

  test("takes credentials, parameters and tokens out of texts, and leaves the rest", () => {
    for (const [text, masked] of [
      ["https://ada:love@example.com/", "https://[masked]@example.com/"],
      ["GET /?access_token=abc&page=2", "GET /?access_token=[masked]&page=2"],
      ["/cb#id_token=abc&state=1", "/cb#id_token=[masked]&state=1"],
      ["/cb?code=abc&encode=yes", "/cb?code=[masked]&encode=yes"],
      ["sent Bearer 0123456789abcdef0 with it", "sent Bearer [masked] with it"],
      ["a bearer of news", "a bearer of news"],
      ["saved eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln!", "saved [masked]!"],
      ["mail ada@example.com?", "mail ada@example.com?"],
      ["password=abc&a=b", "password=[masked]&a=b"],
      ["sent:\nuser_token=abc&code=def&a=b", "sent:\nuser_token=[masked]&code=[masked]&a=b"],
      ["sent code=abc&a=b", "sent code=[masked]&a=b"],
      ["ended with code=137", "ended with code=137"],
      ['<input type=password value="a=b">', '<input type=password value="a=b">'],
      ['<p data-token="a">', '<p data-token="a">'],
    ] as const) {
      expect(maskText(text)).toBe(masked);
    }
  });

  test("leaves out what data URLs carry, and cuts long URLs", () => {
    expect(loggedUrl("data:text/plain;base64,c2VjcmV0")).toBe("data:text/plain;base64,…");
    expect(loggedUrl(`https://example.com/${"x".repeat(10_000)}`).length).toBe(4000);
  });

  test("takes no longer for texts that were made to take long", () => {
    const began = process.cpuUsage();
    for (const text of [
      ";token",
      "token.",
      "a.",
      "&a=",
      "eyJ-",
      "eyJaaaaaaaa.",
      "a://",
      "bearer ",
      "password=",
      " token",
      " key=",
      " key=a",
    ]) {
      maskText(text.repeat(10_000 / text.length));
      maskText(`;${text.repeat(10_000 / text.length)}`);
    }
    // Patterns that backtrack without bound take seconds of the CPU here; these take some 20 ms.
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
  });
});
