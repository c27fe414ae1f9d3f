import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { logError, logInfo, logWarning } from "../../src/platform/log.ts";

function capture(): { readonly lines: string[]; readonly methods: string[] } {
  const lines: string[] = [];
  const methods: string[] = [];
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      lines.push(values.map(String).join(" "));
      methods.push(method);
    });
  }
  return { lines, methods };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a line of the log", () => {
  it("is JSON in one line, with its level, its message and its fields", () => {
    const { lines, methods } = capture();
    logInfo("order placed", {
      user_id: "u-1",
      order_id: "wake-1",
      attempt: 2,
      is_first: true,
      request_id: null,
    });
    logWarning("not delivered", { target: "fleet", left_out: undefined });
    logError("broken", {}, new TypeError("a\nb"));
    expect(methods).toEqual(["log", "warn", "error"]);
    expect(lines.every((line) => !line.includes("\n"))).toBe(true);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: "info",
        message: "order placed",
        user_id: "u-1",
        order_id: "wake-1",
        attempt: 2,
        is_first: true,
        request_id: null,
      },
      { level: "warn", message: "not delivered", target: "fleet" },
      {
        level: "error",
        message: "broken",
        error: { name: "TypeError", message: "a\nb", stack: expect.stringContaining("log.test") },
      },
    ]);
  });

  it("stays short, whatever an error, its cause or a field says", () => {
    const { lines } = capture();
    const long = "x".repeat(1_000_000);
    const error = new Error(long, { cause: new Error(long) });
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field_${index}`, long]));
    logError(long, many, error);
    logWarning(long, {}, long);
    for (const line of lines) expect(line.length).toBeLessThan(32 * 510 + 4 * 1024);
  });

  const SECRETS = [
    "Bearer abcdefgh12345678",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6InVzZXIifQ.c2lnbmF0dXJl",
    "whsec_MDEyMzQ1Njc4OWFiY2RlZg==",
    "ada.lovelace+alerts@mail.example.com",
    "https://hooks.slack.com/services/T000/B000/XXXXsecretXXXX",
    "https://user:pass@plane.example.com/orders?key=abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "rpa_ABCDEFGHIJKLMNOP",
    'api_key="s3cr3t-value"',
    '"password": "hunter2hunter2"',
    "secret=hunter2hunter2",
    "xoxb-123456789012-abcdefghij",
  ];
  const TELLTALES =
    /abcdefgh12345678|eyJ|MDEyMzQ1|lovelace|XXXXsecret|user:pass|key=abcdef|IOSFODNN|ABCDEFGHIJ|s3cr3t|hunter2|123456789012/;

  it.each(SECRETS)("holds no secret: %s", (secret) => {
    const { lines } = capture();
    const error = new Error(`it said ${secret}, twice`, { cause: secret });
    logError(`refused ${secret}`, { because: `so: ${secret}` }, error);
    logWarning("refused", {}, secret);
    expect(lines.join()).not.toMatch(TELLTALES);
  });

  it("holds no secret wherever in a long text it stands", () => {
    const { lines } = capture();
    fc.assert(
      fc.property(fc.constantFrom(...SECRETS), fc.integer({ min: 0, max: 1100 }), (secret, offset) => {
        logInfo(`${"a ".repeat(offset / 2)} ${secret} and more`);
      }),
      { numRuns: 2000 },
    );
    expect(lines.filter((line) => TELLTALES.test(line))).toEqual([]);
  });

  it("cuts fields that are secret by their names, and keeps the ids of tokens", () => {
    const { lines } = capture();
    logInfo("x", { token: "abc", api_key: "abc", SMTP_PASSWORD: "abc", email: "abc", token_id: "t-1" });
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: "info",
      message: "x",
      token: "[cut]",
      api_key: "[cut]",
      SMTP_PASSWORD: "[cut]",
      email: "[cut]",
      token_id: "t-1",
    });
  });

  it("says which host was called", () => {
    const { lines } = capture();
    logInfo("called", {
      url: "https://plane.example.com:8443/orders?x=1#y",
      error: "GET http://10.0.0.1/a failed",
    });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      url: "https://plane.example.com:8443/…",
      error: "GET http://10.0.0.1/… failed",
    });
  });
});
