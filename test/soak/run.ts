import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";
import type { Finding } from "./verdict.ts";

/** `npm run soak`: a service whose world fails by turns, and then a table of what it kept of its promises. */

const HELP = `Usage: npm run soak -- [--minutes N] [--instances N] [--users N] [--seed N] [--report FILE] [--keep]

  --minutes    how long it takes, the last three of them without trouble; 120 if left out
  --instances  how many machines there are at any moment; 500 if left out
  --users      to whom they belong; 20 if left out
  --seed       draws what goes wrong, and when; it is printed, so that it can be given again
  --report     also writes how many promises were kept and broken, as JSON, to this file
  --keep       keeps the server's state and log
`;

/** What building, starting and the rest may take beyond the time that was asked for. */
const LEEWAY_MS = 15 * 60_000;

/** So many of what broke a promise are printed. */
const SHOWN = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "120" },
    instances: { type: "string", default: "500" },
    users: { type: "string", default: "20" },
    seed: { type: "string", default: String(randomInt(1, 2 ** 31)) },
    report: { type: "string" },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const options = {
  minutes: Number(values.minutes),
  instances: Number(values.instances),
  users: Number(values.users),
  seed: Number(values.seed),
  keep: values.keep,
};
const counts = [options.instances, options.users, options.seed];
if (values.help || !(options.minutes >= 5) || counts.some((count) => !Number.isInteger(count) || count < 1)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 1);
}

// Ending this process ends the server, too.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const overdue = setTimeout(
  () => {
    console.error("the soak did not end in time");
    process.exit(1);
  },
  options.minutes * 60_000 + LEEWAY_MS,
);

console.log(`seed ${options.seed}: ${options.instances} instances for ${options.minutes} minutes`);
const findings = await soak(options);
clearTimeout(overdue);
print(findings);
const broken = findings.filter((finding) => finding.broken.length > 0).length;
if (values.report !== undefined) {
  const report = { numPassedTests: findings.length - broken, numFailedTests: broken };
  await writeFile(values.report, JSON.stringify(report));
}
process.exit(broken === 0 ? 0 : 1);

function print(table: readonly Finding[]): void {
  for (const { promise, broken: cases } of table) {
    for (const one of cases.slice(0, SHOWN)) console.log(`${promise}: ${one}`);
    if (cases.length > SHOWN) console.log(`${promise}: and ${cases.length - SHOWN} more`);
  }
  const width = Math.max(...table.map(({ promise }) => promise.length));
  console.log(`\nseed ${options.seed}, ${options.minutes} minutes, ${options.instances} instances`);
  for (const { promise, broken: cases, of } of table) {
    console.log(`${promise.padEnd(width)}  ${String(cases.length).padStart(5)}  ${of}`);
  }
}
