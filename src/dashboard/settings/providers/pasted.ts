/** Credentials that are pasted as the file in which their provider gives them. Pure. */

/** As long as the longest key file, and some. */
const LONGEST_FILE = 20_000;

/** What a JSON text says of these fields; null where it is none that does. */
export function pastedFields(
  text: string,
  fields: readonly { readonly name: string }[],
): Readonly<Record<string, string>> | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || trimmed.length > LONGEST_FILE) return null;
  let file: unknown;
  try {
    file = JSON.parse(trimmed);
  } catch {
    return null;
  }
  if (typeof file !== "object" || file === null) return null;
  const values = new Map<string, unknown>(Object.entries(file));
  const found = fields.flatMap(({ name }) => {
    const value = values.get(name);
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}
