import { readFileSync } from "node:fs";

// Prints each test that failed, and the closing line, from vitest's JSON reports. A step that failed, or a report that is
// missing, counts as one failure more, so that the line never says less than what happened.
const [failedSteps, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of files) {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
    for (const failure of failuresIn(report)) console.log(failure);
  } catch (error) {
    console.error(`no report: ${error.message}`);
    failed += 1;
  }
}
if (failed === 0) failed = Number(failedSteps);
console.log(`tests: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** Their names and first lines: what a long log has said of them is far above. */
function failuresIn(report) {
  return (report.testResults ?? []).flatMap(({ name, assertionResults = [], message }) => {
    const tests = assertionResults.filter(({ status }) => status === "failed");
    if (tests.length === 0) return message ? [`failed: ${name}: ${start(message)}`] : [];
    return tests.map(
      ({ fullName, failureMessages = [] }) => `failed: ${name}: ${fullName}: ${start(failureMessages.join("; "))}`,
    );
  });
}

function start(text) {
  return text.replace(/\x1b\[[0-9;]*m/g, "").slice(0, 2_000);
}
