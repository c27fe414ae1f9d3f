import { shareCommand } from "./release/plan.ts";
import { rollbackTarget, whyNotBack } from "./release/rollback-plan.ts";
import { readDeployments, readVersion } from "./release/standing.ts";
import { Wrangler } from "./release/wrangler.ts";

/**
 * `npm run rollback`: gives everything to the former version, which reads what this one has written. Databases stay as they
 * are: migrations are only ever added.
 */

const wrangler = new Wrangler();

async function rollBack(): Promise<void> {
  const target = rollbackTarget(await readDeployments(wrangler));
  if (target.type === "none") throw new Error(target.because);
  const { current, former } = target;
  const refusal =
    current === null
      ? null
      : whyNotBack(await readVersion(wrangler, current), await readVersion(wrangler, former));
  if (refusal !== null) throw new Error(refusal);
  await wrangler.do(shareCommand([{ version: former, percent: 100 }]));
  console.log(`The former version ${former} has all the traffic.`);
}

await rollBack().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
