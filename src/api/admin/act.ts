import { z } from "zod";
import { userExists } from "../../accounts/users.ts";
import type { ApiContext } from "../../http/endpoint.ts";
import { notFound } from "../../http/errors.ts";
import { component } from "../../http/openapi.ts";
import type { OperatorWord } from "../../lifecycle/model/instance-event.ts";
import { instanceIdSchema } from "../instances/schemas.ts";

/**
 * What the operator's acts have in common. Each is an event in the history of the user whom it concerns, which says that the
 * operator did it, and why. None stops or deletes a machine by itself.
 */

export const userParams = z.object({ id: z.string().max(100) });

export const userInstanceParams = userParams.extend({ instance_id: instanceIdSchema });

const because = z.string().trim().min(1).max(300).describe("The user reads it in the event");
const operator = z.string().trim().min(1).max(100).optional().describe("Who you are, if there are several");

export const actFields = { because, operator };

export const orderActSchema = component(
  "OrderActRequest",
  z.strictObject({
    ...actFields,
    order_id: z.string().min(1).max(100).describe("Of the order under way: another one is left alone"),
  }),
);

export const orderActExample = {
  order_id: "hibernate-mb5k2x1c",
  because: "Its workflow was lost in the incident of today",
  operator: "Ada",
};

/** The operator's word, as events give it. */
export function wordOf(
  c: ApiContext,
  given: { readonly because: string; readonly operator?: string | undefined },
): OperatorWord {
  const name = given.operator === undefined ? "" : ` (${given.operator})`;
  return { operator: `the operator${name}`, because: given.because, requestId: c.var.requestId };
}

/** Throws 404 for a user that does not exist: asking a fleet would bring it into being. */
export async function demandUser(c: ApiContext, userId: string): Promise<void> {
  if (!(await userExists(c.env.DB, userId))) throw notFound();
}
