/** The beginning of a text, of so many bytes in UTF-8 at most. No character is cut in two. */
export function firstBytes(text: string, bytes: number): string {
  // A unit of UTF-16 is three bytes at most.
  if (3 * text.length <= bytes) return text;
  let [end, left] = [0, bytes];
  for (const character of text) {
    left -= bytesOf(character.codePointAt(0) ?? 0);
    if (left < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** The end of a text, likewise. */
export function lastBytes(text: string, bytes: number): string {
  const characters = [...text];
  let [from, left] = [characters.length, bytes];
  while (from > 0) {
    left -= bytesOf(characters[from - 1]?.codePointAt(0) ?? 0);
    if (left < 0) break;
    from -= 1;
  }
  return characters.slice(from).join("");
}

function bytesOf(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
