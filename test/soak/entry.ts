import type { Release } from "../../scripts/release/bundle.ts";

/** The entry of a release in the soak: each of its classes with bindings that fail. */
export function entryOf({ modules, objects, workflows }: Release): string {
  const classes = new Set([...objects, ...workflows].map(({ class_name }) => class_name));
  return [
    `import * as release from "./${modules[0]?.path}";`,
    `import { answer, faulty } from "./faulty-bindings.ts";`,
    ...[...classes].map(
      (name) =>
        `export class ${name} extends release.${name} { constructor(ctx, env) { super(ctx, faulty(env)); } }`,
    ),
    "export default {",
    "  fetch: async (request, env, context) =>",
    "    (await answer(request, env)) ?? release.default.fetch(request, faulty(env), context),",
    "};",
  ].join("\n");
}
