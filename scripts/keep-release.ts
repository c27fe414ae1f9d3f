import { join, resolve } from "node:path";
import { keepAgent } from "./keep-agent.ts";
import { bundleRelease, writeRelease } from "./release/bundle.ts";

/**
 * `npm run keep-release`, once a release is deployed: keeps its agent for good, and its Worker as the former release, which
 * tests run on the state of the next one. Another folder, such as a checkout of a tag, may be given as the release's source.
 */

const ROOT = resolve(import.meta.dirname, "..");
export const FORMER_RELEASE = join(ROOT, "test/e2e/releases/former.json.br");

if (import.meta.main) {
  const release = await bundleRelease(resolve(process.argv[2] ?? ROOT), { minify: true });
  await writeRelease(FORMER_RELEASE, release);
  console.log(`kept the Worker of version ${release.version}`);
  console.log(await keepAgent());
}
