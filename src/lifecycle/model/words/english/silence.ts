/** What is said of instances that are not heard. */
export const SILENCE = {
  "silence.unheard": "Never heard: no heartbeat for {silence:long}{since}. Is the agent installed?",
  "silence.since_registered": " since it was registered",
  "silence.since_moved": " since another machine is watched",
  "silence.since_imported": " since it was brought from an export",
  "silence.since_started": " since it was found running",
  "silence.costs_if_it_runs": "If it runs, it costs money.",
  "silence.only_observed": "Nothing is done about it: the policy only observes. Install the agent.",
  "silence.hibernated_if_running":
    "It is hibernated at {at:time} if it is not heard by then and {provider:text} shows it running. Install the agent, or keep it alive.",
  "silence.heard_elsewhere":
    "It may be heard where it was exported from, so nothing is done about it: let its agent report here, or remove it here.",
  "silence.not_stopped":
    "Nothing is done about it: {why}. Install the agent, delete it where it is rented, or remove it here if there is no such machine.",
  "silence.not_acted_on":
    "Nothing is done about it: install the agent, hibernate it here, or remove it here if there is no such machine.",
  "silence.not_acted_on_by_policy":
    "Nothing is done about it (orphan.act_on_never_heard): install the agent, hibernate it here, or remove it here if there is no such machine.",
  "silence.nobody_can_stop": "Nobody can stop this machine: connect its provider",
  "silence.nobody_can_stop_unheard":
    "Nobody can stop this machine: connect its provider. Install the agent, stop it where it is rented, or remove it here if there is no such machine.",
  "silence.alert_unheard": "Never heard. Is the agent installed?",
  "silence.alert_unheard_unstoppable":
    "Never heard. Is the agent installed? Nobody can stop this machine: connect its provider.",
  "silence.alert_vanished": "Its provider lists it no more. Was it deleted there?",
  "silence.alert_no_heartbeat_ever": "No heartbeat ever. May be stuck.",
  "silence.alert_seconds": "No heartbeat for {silence:long}. May be stuck.",
  "silence.alert_minutes": "No heartbeat for {minutes:number} {minutes:minute|minutes}. May be stuck.",

  "silence.orphaned": "Instance {name:text} may be stuck: no heartbeat for {silence:long}{ahead}",
  "silence.hibernation_ahead": ". If it is not heard by {at:time}, it is hibernated. {risks}",
  "silence.step": "No heartbeat for {silence:long}. {consequence}",
  "silence.step_unheard": "Never heard for {silence:long}. {consequence}",
  "silence.is_hibernated": "It is hibernated.",
  "silence.is_hibernated_and": "It is hibernated, and {deletion}.",
  "silence.will_be_deleted": "will be deleted after {at:time}",
  "silence.would_be_deleted": "would be deleted after {at:time}, but the policy only observes",
  "silence.no_provider_acts": "No provider can act on a silent instance (provider: {provider:text}).",
  "silence.delete_it_there": "Nothing is stopped: {why}. Delete it there if nobody needs it.",
  "silence.nothing_stopped": "Nothing is stopped: {why}. It {deletion}.",
  "silence.hibernating_it": "Hibernating it{condition}.",
  "silence.force_hibernating_it": "Force-hibernating it{condition}.",
  "silence.would_hibernate_it": "It would be hibernated now{condition}, but the policy only observes.",
  "silence.if_shown_running": " if {provider:text} shows it running",

  "silence.recovered": "Recovered: {because} after {silence:long} as an orphan",
  "silence.recovered_unheard": "Recovered: {because} {silence:long} after it counted as never heard",
  "silence.heartbeat_received": "heartbeat received",
  "silence.woken": "woken",
  "silence.heard_while_deleted": "heard while it was to be deleted",
  "silence.flapping":
    "Flapping: silent and back {turns:number} times within an hour. Its turns are not told any more",
  "silence.no_heartbeat": "no heartbeat",
  "silence.never_heard_if": "never heard, if {provider:text} shows it running",

  "guard.opened_for_it": "The mass-outage guard opened: silence counts anew from {at:time}",
  "guard.holds_it": "Held back until a mass outage can be ruled out: {step}",
  "guard.closed_instances":
    "Mass outage: {silent:number} of your {total:number} instances fell silent at once. Nothing is hibernated or deleted for silence until it is clear",
  "guard.closed_users":
    "Mass outage: {silent:number} of the service's {total:number} users fell silent at once. Nothing is hibernated or deleted for silence until it is clear",
  "guard.opened_instances":
    "The mass outage is over: {awake:number} of {total:number} instances are heard. Silence counts anew from now",
  "guard.opened_users":
    "The mass outage is over: {awake:number} of {total:number} users are heard. Silence counts anew from now",
  "guard.opened_for_good_instances":
    "The mass outage has lasted too long: {silent:number} of {total:number} instances count as abandoned. Silence counts anew from now",
  "guard.opened_for_good_users":
    "The mass outage has lasted too long: {silent:number} of {total:number} users count as abandoned. Silence counts anew from now",
  "guard.unknown":
    "The service-wide guard does not answer. Until it does nothing is hibernated for silence, for six hours at most, and nothing is deleted",
} as const;
