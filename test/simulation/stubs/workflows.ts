/** `cloudflare:workflows` as the simulation has it. */
export class NonRetryableError extends Error {}
