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
