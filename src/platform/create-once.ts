/** Creates a workflow instance, unless one with this id exists. */
export async function createOnce<T>(workflows: Workflow<T>, id: string, params: T): Promise<void> {
  try {
    await workflows.create({ id, params });
  } catch (error) {
    // The platform has no error code for an id that exists. After any other failure none exists.
    if ((await workflows.get(id).catch(() => null)) === null) throw error;
  }
}
