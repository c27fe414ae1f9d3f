/** What is said of a fleet as a whole: its connections, its budgets, and who is told. */
export const FLEET = {
  "fleet.credentials_refused":
    "The credentials of {name:text} are refused: {problem}. Nothing more is ordered there, and its machines go on costing money: set new credentials, or have these checked once they are good again",
  "fleet.no_reason": "no reason given",
  "fleet.partly_listed":
    "A part of the machines at {provider:text} can't be listed: {problem}. Nobody sees what runs there without being watched",
  "fleet.not_listed":
    "The machines at {provider:text} can't be listed: {problem}. Until they can, nobody sees what runs there without being watched. It is tried again and again",
  "fleet.let_go":
    "Nobody watches the machine {machine:text} any more: {name:text} held it and watches {watched:text}, and its owner has not changed it so. If it runs, it costs money: look after it where it is rented, or register it",
  "fleet.enrollment_refused":
    "A machine with the enrollment token {token:text} says that it is {ref:text} at {provider:text}, which {id:text} watches. It was refused. If it is that machine, and has lost its disk, remove the instance or install the agent with a token of its own; if not, somebody has your enrollment token: revoke it",
  "fleet.not_delivered":
    "A message could not be delivered to the channel {name:text} ({kind:text}): {because}",
  "fleet.channel_gone":
    "The channel {name:text} ({kind:text}) is gone: {because}. Nothing is told there any more. Give it another address, or delete it",
  "channel.test_title": "Test of this channel",
  "channel.test_heading": "Test of this channel: alerts of the Dumont Agent System will arrive here",

  "budget.day_used_up":
    "The day's budget is used up: {spent:dollars} of {limit:dollars} since 00:00 UTC{pace}{breaks}{unknown}.",
  "budget.month_used_up":
    "The month's budget is used up: {spent:dollars} of {limit:dollars} since the first of the month{pace}{breaks}{unknown}.",
  "budget.day_used":
    "The day's budget is used to {percent:number} %: {spent:dollars} of {limit:dollars} since 00:00 UTC{pace}{breaks}{unknown}.",
  "budget.month_used":
    "The month's budget is used to {percent:number} %: {spent:dollars} of {limit:dollars} since the first of the month{pace}{breaks}{unknown}.",
  "budget.pace": ", and {rate:dollars} more every hour",
  "budget.day_breaks": ". At this rate it is used up at {at:text} UTC",
  "budget.month_breaks": ". At this rate it is used up on {at:text}",
  "budget.unknown":
    ". {count:number} {count:instance has|instances have} no known price, and {count:is|are} not counted",
  "budget.nothing_stopped": "Nothing is stopped for it.",

  "budget.hibernating": "Hibernating {count:number} {count:instance|instances}",
  "budget.hibernating_idle": "Hibernating {count:number} idle {count:instance|instances}",
  "budget.nothing_else": "Nothing else runs.",
  "budget.go_on": "{count:number} {count:instance goes|instances go} on: {named}{more}.",
  "budget.more_go_on": "More than {count:number} {count:instance goes|instances go} on: {named}{more}.",
  "budget.one": "{name:text} ({why}, {price})",
  "budget.price": "{rate:dollars} an hour",
  "budget.price_unknown": "price unknown",
  "round.by_budget": "The budget is used up: hibernating {whom}{filter}: {counts}",
  "round.by_owner": "You asked for it: hibernating {whom}{filter}: {counts}",
  "round.all_instances": "all instances",
  "round.idle_instances": "idle instances",
  "round.filter": " of {filter:text}",
  "round.counts": "{count:number} {count:instance|instances}, saving {saving:dollars} an hour{unknown}",
  "round.unpriced": ", without {count:number} of unknown price",
  "round.left":
    "{count:number} {count:instance|instances} could not be told to hibernate, and may go on costing money: {named}{more}",
  "round.one": "{id:text} ({why})",
  "round.more": " and {count:number} more",
  "round.working": "working",
  "round.idle": "idle",
  "round.silent": "silent",
  "round.pending": "never heard",
  "round.hibernating": "hibernating",
  "round.hibernated": "hibernated",
  "round.waking": "waking",
  "round.deleting": "deleting",
  "round.deleted": "deleted",
  "round.no_provider": "no provider",
  "round.not_connected": "not connected",
  "round.refused": "refused",
  "round.cannot_stop": "cannot stop",
  "round.observe": "only observed",
  "round.kept_alive": "kept alive",
  "round.not_idle": "not idle",
  "round.changed": "changed",
  "round.busy": "busy",
  "round.out_of_reach": "out of reach",
  "round.unreadable": "can't be read",
  "round.dropped": "dropped",
  "unwatched.run":
    "{count:number} {count:machine|machines} at {provider:text} {count:runs|run}, watched by nobody: {cost}. {named}",
  "unwatched.still_run":
    "{count:number} {count:machine|machines} at {provider:text} still {count:runs|run}, watched by nobody: {cost}. {named}",
  "unwatched.cost": "{rate:dollars} an hour in all",
  "unwatched.cost_more": "{rate:dollars} an hour and more, since the price of {count:number} is not known",
  "unwatched.cost_unknown": "what they cost is not known",
  "unwatched.machine": "{name:text} ({facts})",
  "unwatched.price": "{rate:dollars} an hour",
  "unwatched.price_unknown": "price not known",
  "unwatched.created": "created {at:time}",
  "unwatched.up": "seen up since {at:time}",
  "unwatched.unsure": "state not known since {at:time}",
  "unwatched.asleep": "its instance {id:text} counts as hibernated",
  "unwatched.more": "and {count:number} more",
  "fleet.list_cut": "the list is too long, and its end is left out",
  "fleet.too_many_waited": "more than {count:number} messages waited for it",
} as const;
