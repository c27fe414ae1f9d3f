import { WrongSettings } from "../src/platform/settings.ts";
import { requireRightVars } from "./vars.ts";

/** `npm run check:settings`, which `npm run deploy` begins with: refuses vars by which the Worker would not run. */

try {
  requireRightVars();
} catch (error) {
  if (!(error instanceof WrongSettings)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
