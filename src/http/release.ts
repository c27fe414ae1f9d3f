import type { MiddlewareHandler } from "hono";
import type { ApiEnvironment } from "./authenticate.ts";

/**
 * Names the release that answers, and which upload of it: a deployment in stages asks for its own, and one version may be
 * uploaded more than once.
 */
export function nameRelease(version: string): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    await next();
    c.header("X-Dumont-Version", version);
    // Absent where it is not deployed.
    const upload: WorkerVersionMetadata | undefined = c.env.UPLOAD;
    if (upload !== undefined) c.header("X-Dumont-Upload", upload.id);
  };
}
