import { z } from "zod";
import { MOST_TAGS, readTag, type Tag } from "./tags.ts";

/** It begins with a letter: so none is a number, which objects would put first, or a name that JavaScript gives a meaning. */
const KEY = /^[a-z][a-z0-9_.-]{0,39}$/;
const KEY_WORDS =
  "a key must be 1 to 40 of lower-case letters, digits, '_', '.', '-', beginning with a letter";

/** No control characters, no line separators, no half of a pair of code units; an emoji counts as one. */
const VALUE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{0,100}$/u;
const VALUE_WORDS = "a value must be at most 100 characters, without control characters";

/** The key of a tag. */
export const tagKeySchema = z.string().regex(KEY, KEY_WORDS);

const valueSchema = z.string().refine((value) => VALUE.test(value), VALUE_WORDS);

/** Zod leaves out this key without a word. */
const PROTOTYPE = "__proto__";

/** Tags as an owner gives them. */
export const tagsSchema = z.preprocess(
  (given, context) => {
    if (typeof given === "object" && given !== null && Object.hasOwn(given, PROTOTYPE)) {
      context.addIssue({ code: "custom", message: KEY_WORDS, path: [PROTOTYPE] });
    }
    return given;
  },
  z
    .record(tagKeySchema, valueSchema, {
      error: ({ code }) => (code === "invalid_key" ? KEY_WORDS : undefined),
    })
    .refine((tags) => Object.keys(tags).length <= MOST_TAGS, `must be at most ${MOST_TAGS} tags`),
);

/** A tag as `key:value`, that is looked for. */
export const tagSchema = z.string().transform((text, context): Tag => {
  const tag = readTag(text);
  if (tag === null) context.addIssue("must be key:value");
  else if (!KEY.test(tag.key)) context.addIssue(KEY_WORDS);
  else if (!VALUE.test(tag.value)) context.addIssue(VALUE_WORDS);
  else return tag;
  return z.NEVER;
});
