import { listTags, type Tags, writeTag } from "../../lifecycle/model/tags.ts";

/** The tags of instances, as choices. Pure. */

type Tagged = { readonly tags: Tags };

/** The keys of the tags that any of these instances has, in the order of the alphabet. */
export function tagKeysOf(instances: readonly Tagged[]): string[] {
  return [...new Set(instances.flatMap(({ tags }) => Object.keys(tags)))].sort();
}

/** The tags themselves, as `key:value`. */
export function tagsOf(instances: readonly Tagged[]): string[] {
  return [...new Set(instances.flatMap(({ tags }) => listTags(tags).map(writeTag)))].sort();
}
