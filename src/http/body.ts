import { phrase } from "../lifecycle/model/words/phrase.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { ApiError } from "./errors.ts";

/** More than any request of this API needs, but for an import. */
export const MAXIMUM_BODY_BYTES = 16 * 1024;

const MAXIMUM_FORM_BYTES = 1024;

/**
 * The JSON value of a request's body, or undefined when there is no body. Throws 413 for a body that is too large,
 * without reading it to its end, and 400 for one that is not JSON in UTF-8.
 */
export async function readJsonBody(request: Request, maximumBytes = MAXIMUM_BODY_BYTES): Promise<unknown> {
  const sent = decode(await readBytes(request, maximumBytes));
  if (sent.trim() === "") return undefined;
  try {
    return JSON.parse(sent);
  } catch {
    throw new ApiError("malformed_json", text("error.not_json"));
  }
}

/** What a form of a page sends. Throws 413 for more than any of them does, and 400 for what is not UTF-8. */
export async function readFormBody(request: Request): Promise<URLSearchParams> {
  return new URLSearchParams(decode(await readBytes(request, MAXIMUM_FORM_BYTES)));
}

async function readBytes(request: Request, maximumBytes: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const length = request.headers.get("Content-Length");
  // A body of known length is read in one piece, which takes a fraction of the time.
  return length === null
    ? readStream(request.body, maximumBytes)
    : readWhole(request, Number(length), maximumBytes);
}

async function readWhole(request: Request, length: number, maximumBytes: number): Promise<Uint8Array> {
  if (!(length <= maximumBytes)) throw tooLarge(maximumBytes);
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength > maximumBytes) throw tooLarge(maximumBytes);
  return bytes;
}

async function readStream(body: ReadableStream<Uint8Array>, maximumBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maximumBytes) throw tooLarge(maximumBytes);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new ApiError("malformed_json", text("error.not_utf8"));
  }
}

function tooLarge(maximumBytes: number): ApiError {
  return new ApiError("too_large", phrase("error.too_large", { bytes: maximumBytes }));
}
