import { afterAll, afterEach, vi } from "vitest";

/**
 * Tests print nothing but their results. What is written to the console passes through, and fails the test at whose
 * end it is found, unless a test said beforehand that it would come. Lines of the service's log that only tell what happened
 * are no trouble: `loggedLines` has them.
 */

const METHODS = ["debug", "info", "log", "warn", "error"] as const;

/** How long an answer may come before the log that belongs to it. */
const LATE_LOG_MS = 30_000;

interface Expectation {
  readonly pattern: RegExp;
  seen: boolean;
}

/** One act in a hundred deletes older ones too: by chance that fails in any test whose database is away. */
const allowed: RegExp[] = [/acts beyond the newest were not deleted/];
let expected: Expectation[] = [];
let unexpected: string[] = [];

/** Within this test something is logged that matches: it is not shown, and the test fails without it. */
export function expectLogged(pattern: RegExp): void {
  expected.push({ pattern, seen: false });
}

/** A line of the service's log, as `src/platform/log.ts` writes it. */
export type LoggedLine = Readonly<Record<string, unknown>>;

/** So many of the latest are kept: what a test asks for is young. */
const LINES_KEPT = 1000;

let lines: LoggedLine[] = [];

/** What the service has logged, oldest first, that has these fields. */
export function loggedLines(fields: LoggedLine = {}): LoggedLine[] {
  return lines.filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
}

function lineIn(text: string): LoggedLine | null {
  return text.startsWith('{"level":"') ? JSON.parse(text) : null;
}

/** What matches may be logged by any test of this file, and is not shown. */
export function mayLog(pattern: RegExp): void {
  allowed.push(pattern);
}

function take(text: string): boolean {
  const matching = expected.filter(({ pattern }) => pattern.test(text));
  for (const one of matching) one.seen = true;
  return matching.length > 0 || allowed.some((pattern) => pattern.test(text));
}

function failOnUnexpected(): void {
  const found = unexpected;
  unexpected = [];
  if (found.length > 0) throw new Error(`logged, and not expected:\n${found.join("\n")}`);
}

for (const method of METHODS) {
  const show = console[method].bind(console);
  console[method] = (...values: unknown[]) => {
    const text = values.map(String).join(" ");
    const line = lineIn(text);
    if (line !== null) lines = [...lines.slice(1 - LINES_KEPT), line];
    if (take(text) || line?.level === "info") return;
    unexpected.push(`console.${method}: ${text}`);
    show(...values);
  };
}

afterEach(async () => {
  try {
    for (const one of expected) {
      await vi.waitFor(
        () => {
          if (!one.seen) throw new Error(`nothing was logged that matches ${one.pattern}`);
        },
        { timeout: LATE_LOG_MS },
      );
    }
    failOnUnexpected();
  } finally {
    expected = [];
  }
});
afterAll(failOnUnexpected);
