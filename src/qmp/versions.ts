import type * as Agent from './generated/agent.ts'
import type * as Qemu from './generated/qemu.ts'
import type * as Qemu72 from './generated/qemu-7.2.ts'
import type * as Qemu100 from './generated/qemu-10.0.ts'
import type * as Qemu111 from './generated/qemu-11.1.ts'

/** The commands and events of a QEMU. */
export interface QmpSchema {
  readonly commands: object
  readonly events: object
}

/**
 * The monitor of QEMU 7.2 to 11.1, from QEMU's own schema. It has what any of 7.2, 10.0 and 11.1 has; what one of them
 * lacks is optional, and its comment names those that have it.
 */
export interface Qmp {
  readonly commands: QmpCommands
  readonly events: QmpEvents
}

/** The monitor of QEMU 7.2 alone. */
export interface Qmp72 {
  readonly commands: Qemu72.Commands
  readonly events: Qemu72.Events
}

/** The monitor of QEMU 10.0 alone. */
export interface Qmp100 {
  readonly commands: Qemu100.Commands
  readonly events: Qemu100.Events
}

/** The monitor of QEMU 11.1 alone. */
export interface Qmp111 {
  readonly commands: Qemu111.Commands
  readonly events: Qemu111.Events
}

/** The commands of a monitor, with their arguments and results. Any other can be run too, with an unknown result. */
export interface QmpCommands extends Qemu.Commands {}

/** The events of a monitor, with their data. Others have data with unknown fields. */
export interface QmpEvents extends Qemu.Events {}

/** The commands of the guest agent, of qemu-ga 7.2 to 11.1. Any other can be run too, with an unknown result. */
export interface AgentCommands extends Agent.Commands {}
