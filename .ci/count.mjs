import { readFileSync } from "node:fs";

// Prints the closing line from vitest's JSON reports. A step that failed, or a report that is missing, counts as one
// failure more, so that the line never says less than what happened.
const [failedSteps, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of files) {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
  } catch (error) {
    console.error(`no report: ${error.message}`);
    failed += 1;
  }
}
if (failed === 0) failed = Number(failedSteps);
console.log(`tests: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
