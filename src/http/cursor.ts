import { z } from "zod";
import type { Position } from "../history/page.ts";
import { text } from "../lifecycle/model/words/say.ts";

/** Pages of long lists. A cursor is opaque to the caller: it is base64url of where the last page ended. */

/** Each entry of a list of instances asks one actor. */
const MAXIMUM_PAGE = 1000;

/** How many entries a page holds at most. */
export function pageLimit(usual: number) {
  return z.coerce.number().int().min(1).max(MAXIMUM_PAGE).default(usual);
}

const positionSchema = z.object({ at: z.int(), tie: z.string().max(300) });

/** For lists in order of time. */
export function encodePosition(position: Position | null): string | null {
  return position === null ? null : encodeText(JSON.stringify(position));
}

export const positionCursor = z
  .string()
  .max(1000)
  .transform((cursor, context): Position => {
    const position = positionSchema.safeParse(parseJson(decodeText(cursor)));
    if (position.success) return position.data;
    context.addIssue({ code: "custom", message: text("must.be_cursor") });
    return z.NEVER;
  });

/** For lists in order of their ids: the id that the last page ended with. */
export const idCursor = z
  .string()
  .max(1000)
  .transform((cursor, context): string => {
    const id = decodeText(cursor);
    if (id !== null) return id;
    context.addIssue({ code: "custom", message: text("must.be_cursor") });
    return z.NEVER;
  });

/** For lists in order of their ids. */
export function encodeId(end: string | null): string | null {
  return end === null ? null : encodeText(end);
}

/** The cursor of the page after these ids; null when this page is not full and therefore the last. */
export function nextIdCursor(ids: readonly string[], limit: number): string | null {
  const last = ids.at(-1);
  return last !== undefined && ids.length === limit ? encodeText(last) : null;
}

function encodeText(text: string): string {
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decodeText(cursor: string): string | null {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return null;
  }
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
