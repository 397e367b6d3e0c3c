export type { Clock, ErrorKind, Port, PortReceiver } from '../base/index.ts'
export {
  adoptStream,
  type ConnectWait,
  connectWhenReady,
  type StreamPlace,
  StreamPort,
  socketPair,
} from '../sys/index.ts'
export { AgentClient, type AgentState, connectAgent } from './agent.ts'
export { connectQmp, type ExecuteOptions, QmpClient, type QmpState } from './client.ts'
export { type Outcome, QmpError, type QmpErrorDetails } from './errors.ts'
export type { EventFilter, EventNameIn, EventOf, OnceOptions } from './events.ts'
export type { AskOptions, ExecOptions, ExecResult } from './exec.ts'
export type * as Qga from './generated/agent.ts'
export type * as Qapi from './generated/qemu.ts'
export type * as Qapi72 from './generated/qemu-7.2.ts'
export type * as Qapi100 from './generated/qemu-10.0.ts'
export type * as Qapi111 from './generated/qemu-11.1.ts'
export { listenQmp, type QmpListener } from './listen.ts'
export { type OpenOptions, openAgent, openQmp, type QmpAddress } from './open.ts'
export type { Integer, NameIn, Rest, ResultOf } from './qapi.ts'
export type { ConnectOptions } from './session.ts'
export type { QmpTraceValue } from './trace.ts'
export type {
  AgentCommands,
  Qmp,
  Qmp72,
  Qmp100,
  Qmp111,
  QmpCommands,
  QmpEvents,
  QmpSchema,
} from './versions.ts'
export type { Greeting, QemuVersion, QmpEvent } from './wire.ts'
