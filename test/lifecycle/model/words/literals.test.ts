import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** Files whose words are English by contract: answers to agents, and what the budget's forecast rests upon. */
const IN_ENGLISH = ["src/lifecycle/views/heartbeat-answer.ts", "src/lifecycle/views/forecast.ts"];

/** Words that decide something and are shown to nobody, and the operator's own. */
const NOT_SAID = new Set([
  "opens for good",
  "by answer",
  "silence after the order",
  `ended by \${operator}: \${because}`,
]);

const LITERAL = /\/\/.*|\/\*[\s\S]*?\*\/|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;

/** The literals of a file that read like words, but for those of errors, which no reader meets. */
function wordsIn(source: string): string[] {
  return [...source.matchAll(LITERAL)].flatMap((match) => {
    const words = match[1] ?? match[2] ?? "";
    const before = source.slice(0, match.index);
    return /[A-Za-z]{2,}[,:;]? [A-Za-z$]{2,}/.test(words) && !/Error\(\s*$/.test(before) ? [words] : [];
  });
}

/** Where a literal before it becomes an answer: a refusal, an issue, or what is said of an event. */
const SAID = [
  /\bApiError\(\s*"\w+",\s*$/,
  /\b(tooManyRequests|notThen|invalid)\(\s*$/,
  /\b(issueAt|wrong|refuse)\([^()]*(\([^()]*\))?[^()]*,\s*$/,
  /\bmessage(:|\s=|\s=[^;]*[?:])\s*$/,
];

/** By the form of its own: what a schema says of what is wrong. */
const IS_ISSUE = /^(must|must not|is not|not a|goes with|needs) /;

/** Where the reader is a program, an agent, or the operator, who are told in English. */
const ENGLISH_ONLY = ["src/api/admin.ts", "src/api/agent-status.ts"];

/** Of agents' answers, of examples in the API's document, and of what the operator's settings say. */
const ANSWERED_IN_ENGLISH = new Set([
  "Manual keep-alive registered",
  "Instance Render Farm may be stuck: no heartbeat for 5 minutes",
  "GPU <5% utilization for 3min. Hibernating in 2min.",
  "query.limit: Too big: expected number to be <=1000",
  "Too big: expected number to be <=1000",
  "This needs a token of scope user, not instance",
  "The body is larger than 16384 bytes",
  `The service does not run: \${message}`,
  `\${say(reader, UNREADABLE_MESSAGE)}: \${because}`,
  `\${what} by \${operator}: \${because}`,
]);

/** The literals of a file that are answered, or told, in English to everybody. */
function saidIn(source: string): string[] {
  return [...source.matchAll(LITERAL)].flatMap((match) => {
    const words = match[1] ?? match[2] ?? "";
    if (!/[A-Za-z]{2,}[,:;]? [A-Za-z$]{2,}/.test(words) && !/^\$\{.*\} [a-z]/.test(words)) return [];
    const before = source.slice(0, match.index);
    return IS_ISSUE.test(words) || SAID.some((place) => place.test(before)) ? [words] : [];
  });
}

describe("refusals, issues and messages", () => {
  it("are found wherever a literal is answered", () => {
    const source = [
      'throw new ApiError("busy", "It is busy now");',
      'throw tooManyRequests("Too many of them");',
      'throw invalid([issueAt("body.x", "has to be less")]);',
      `const message = at <= now ? "has to be later" : \`\${kind} is away\`;`,
      'z.string().regex(/x/, "must be an x");',
      'z.string().describe("What it is called");',
      'throw new ApiError("busy", text("error.busy"));',
    ].join("\n");
    expect(saidIn(source)).toEqual([
      "It is busy now",
      "Too many of them",
      "has to be less",
      "has to be later",
      `\${kind} is away`,
      "must be an x",
    ]);
  });

  it("are said by a phrase or a code, so that they can be told in any language", () => {
    const files = globSync("src/{alerts,api,fleet,http,instance,openid,outbound,previews}/**/*.ts").filter(
      (file) => !ENGLISH_ONLY.includes(file) && !file.startsWith("src/api/admin/"),
    );
    expect(files.length).toBeGreaterThan(200);
    const found = files.flatMap((file) =>
      saidIn(readFileSync(file, "utf8"))
        .filter((words) => !ANSWERED_IN_ENGLISH.has(words))
        .map((words) => `${file}: ${words}`),
    );
    expect(found).toEqual([]);
  });
});

describe("words in the code", () => {
  it("are found wherever they stand, and comments and errors are none", () => {
    const source = [
      "// is no word",
      '/** "nor this" */',
      'throw new Error("not for readers");',
      'emit({ message: "It is hibernated" });',
      `const because = \`\${name} is idle\`;`,
      'phrase("hibernation.done", { because: "one-word" });',
    ].join("\n");
    expect(wordsIn(source)).toEqual(["It is hibernated", `\${name} is idle`]);
  });

  it("reach no reader but by a phrase, in rules and in views", () => {
    const files = globSync("src/lifecycle/{rules,views}/**/*.ts").filter(
      (file) => !IN_ENGLISH.includes(file),
    );
    expect(files.length).toBeGreaterThan(40);
    const found = files.flatMap((file) =>
      wordsIn(readFileSync(file, "utf8"))
        .filter((words) => !NOT_SAID.has(words))
        .map((words) => `${file}: ${words}`),
    );
    expect(found).toEqual([]);
  });
});
