import { z } from "zod";
import { sha256Hex } from "../accounts/digest.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, notFound } from "../http/errors.ts";
import { AGENTS, LATEST_AGENT } from "./agents.ts";

/** The agent's download: under `latest`, and each version under its own name, where it never changes. */

const downloadParams = z.object({ version: z.string(), file: z.string() });

export class GetAgent extends Endpoint {
  override schema = {
    operationId: "downloadAgent",
    tags: ["Agent"],
    summary: "Download the agent, or its SHA-256",
    description:
      "`{version}` is `latest` or any version of the agent that was ever released; `{file}` is `dumont-agent` or `dumont-agent.sha256`, which `sha256sum -c` takes.",
    request: { params: downloadParams },
    responses: {
      200: {
        description: "The file",
        content: { "text/plain": { schema: z.string(), example: "#!/bin/sh\n…" } },
      },
      ...errorResponses(404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const agent = params.version === "latest" ? LATEST_AGENT : AGENTS.get(params.version);
    const text = agent === undefined ? null : await fileOf(params.file, agent);
    if (text === null) throw notFound();
    return c.body(text, 200, {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control":
        params.version === "latest" ? "public, max-age=300" : "public, max-age=31536000, immutable",
      "X-Content-Type-Options": "nosniff",
    });
  }
}

async function fileOf(name: string, agent: string): Promise<string | null> {
  switch (name) {
    case "dumont-agent":
      return agent;
    case "dumont-agent.sha256":
      return `${await sha256Hex(agent)}  dumont-agent\n`;
    default:
      return null;
  }
}
