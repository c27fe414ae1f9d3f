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
} as const;
