import type { Handler } from "hono";
import { hashText } from "../platform/hash.ts";

/** Whoever has it looks again after this long, and is told by the tag whether it changed. */
const FRESH_SECONDS = 300;

/** Answers with a JSON document that is the same for everybody, made once an isolate, when somebody first asks for it. */
export function constantDocument(make: () => object): Handler {
  let made: { readonly json: string; readonly tag: string } | null = null;
  return (c) => {
    if (made === null) {
      const json = JSON.stringify(make());
      made = { json, tag: `"${hashText(json).toString(16)}"` };
    }
    c.header("ETag", made.tag);
    c.header("Cache-Control", `public, max-age=${FRESH_SECONDS}`);
    const known = (c.req.header("If-None-Match") ?? "")
      .split(",")
      .map((each) => each.trim().replace(/^W\//, ""));
    if (known.includes(made.tag)) return c.body(null, 304);
    return c.body(made.json, 200, { "Content-Type": "application/json" });
  };
}
