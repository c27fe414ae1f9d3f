/** What is said of providers: what a stop there risks, and what can be done when a machine does not come back. */
export const PROVIDERS = {
  "provider.only_deletes": "{provider:text} can only delete a machine, which is billed until then",

  "stopped.not_said":
    "What a stop costs, loses and risks depends on where the machine is rented: nobody says it here.",
  "stopped.never":
    "Its provider can't stop a machine and keep it: all of it is billed until it is deleted, with its data.",
  "stopped.risks": "Stopped at {provider:text}: {risks}.",
  "stopped.costs_nothing": "it costs nothing",
  "stopped.may_be_billed": "it may still be billed in full",
  "stopped.may_be_billed_at": "it may still be billed in full, at {rate:dollars} an hour",
  "stopped.billed": "{parts} are still billed",
  "stopped.billed_at": "{parts} are still billed, at {rate:dollars} an hour",
  "stopped.disks": "its disks",
  "stopped.volumes": "its volumes",
  "stopped.addresses": "its addresses",
  "stopped.snapshots": "its snapshots",
  "stopped.lost": "{parts} {count:is|are} lost",
  "stopped.memory": "what is in memory",
  "stopped.container_disk": "all outside its volumes",
  "stopped.local_disks": "what is on its local disks",
  "stopped.unsaved": "what is not saved elsewhere",
  "stopped.taken_waits":
    "its GPU may be taken by others, and then a start waits until it is free, or in vain",
  "stopped.taken_without": "its GPU may be taken by others, and then a start fails, or comes without a GPU",
  "stopped.taken_fails": "its GPU may be taken by others, and then a start fails",
  "stopped.full_waits": "while the provider has no capacity a start waits until it is free, or in vain",
  "stopped.full_without": "while the provider has no capacity a start fails, or comes without a GPU",
  "stopped.full_fails": "while the provider has no capacity a start fails",
  "stopped.ends_with_contract": "48 hours after the end of its contract it is deleted with its data",
  "stopped.ends_without_balance":
    "once your balance is used up it is deleted, unless it has a network volume",

  "way.wait": "wake it again later",
  "way.vast.recreate": "rent another machine with the same template",
  "way.vast.fetch_data": "copy its data while it is stopped",
  "way.runpod.recreate": "deploy another pod, and attach its network volume if it has one",
  "way.runpod.fetch_data": "start it with zero GPUs on RunPod's page, copy its volume, and stop it again",
  "way.ec2.recreate": "make an image of it, and launch that in another zone or as another type",
  "way.ec2.fetch_data": "attach its volumes, or copies of them, to another instance",
  "way.gcp.recreate": "make a machine image of it, and create an instance of that in another zone",
  "way.gcp.fetch_data": "attach its disks, or copies of them, to another instance",
  "way.azure.recreate": "give it a size that is free",
  "way.azure.fetch_data": "attach copies of its disks to another machine",
  "way.hyperstack.recreate": "create another machine, and attach its volumes to that",
  "way.hyperstack.fetch_data":
    "attach its volumes to another machine; its root disk can't be read before it is restored",
  "way.scaleway.recreate": "make an image of it, and create another Instance of that",
  "way.scaleway.fetch_data": "attach its volumes to another Instance in its zone",
  "way.tensordock.recreate": "deploy another machine",

  "reclaim.told": "Its provider takes the machine back {when} (spot). It falls silent for that; {after}",
  "reclaim.now": "now",
  "reclaim.in": "in {left:short}",
  "reclaim.is_asked": "{provider:text} is asked then what became of it",
  "reclaim.nobody_to_ask":
    "nobody can be asked then what became of it, so look after it where it is rented, or start another one",
  "reclaim.silent_until_provider":
    "Silent since its provider took it back. It counts as hibernated until its provider says otherwise",
  "reclaim.silent_until_heard":
    "Silent since its provider took it back. It counts as hibernated until a heartbeat says otherwise",
  "reclaim.its_provider": "Its provider",
  "reclaim.expected": "{provider} takes the machine back: its silence is expected",
  "reclaim.expected_at": "{provider} takes the machine back at {at:time}: its silence is expected",
  "reclaim.nobody_knows": "{provider} took the machine back: nobody knows yet whether it still exists",
  "reclaim.nobody_can_say":
    "{provider} took the machine back, and nobody can be asked whether it still exists: look after it where it is rented",
} as const;
