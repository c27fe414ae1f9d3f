/** What an owner notes of an instance, to find it again and to tell its costs apart. No rule ever asks for it. */
export type Tags = Readonly<Record<string, string>>;

/** One of them. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** So many an instance has at most. */
export const MOST_TAGS = 20;

/** A tag written as `key:value`. The first colon ends the key. Null where there is none. */
export function readTag(text: string): Tag | null {
  const colon = text.indexOf(":");
  return colon === -1 ? null : { key: text.slice(0, colon), value: text.slice(colon + 1) };
}

export function writeTag({ key, value }: Tag): string {
  return `${key}:${value}`;
}

export function listTags(tags: Tags): Tag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** Whether an instance has all of these. */
export function hasTags(tags: Tags, wanted: readonly Tag[]): boolean {
  return wanted.every(({ key, value }) => Object.hasOwn(tags, key) && tags[key] === value);
}
