import { ApiError } from "./errors.ts";

/** More than any request of this API needs. */
const MAXIMUM_BODY_BYTES = 16 * 1024;

/**
 * The JSON value of a request's body, or undefined when there is no body. Throws 413 for a body that is too large,
 * without reading it to its end, and 400 for one that is not JSON in UTF-8.
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const text = decode(await readBytes(request));
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("malformed_json", "The body is not valid JSON");
  }
}

async function readBytes(request: Request): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const length = request.headers.get("Content-Length");
  // A body of known length is read in one piece, which takes a fraction of the time.
  return length === null ? readStream(request.body) : readWhole(request, Number(length));
}

async function readWhole(request: Request, length: number): Promise<Uint8Array> {
  if (!(length <= MAXIMUM_BODY_BYTES)) throw tooLarge();
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.byteLength > MAXIMUM_BODY_BYTES) throw tooLarge();
  return bytes;
}

async function readStream(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MAXIMUM_BODY_BYTES) throw tooLarge();
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
    throw new ApiError("malformed_json", "The body is not UTF-8");
  }
}

function tooLarge(): ApiError {
  return new ApiError("too_large", `The body is larger than ${MAXIMUM_BODY_BYTES} bytes`);
}
