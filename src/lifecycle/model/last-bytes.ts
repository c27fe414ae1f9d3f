/** The end of a text, of so many bytes in UTF-8 at most. No character is cut in two. */
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
