import { XclusterError } from '../base/index.ts'

/** This machine lacks something that a cluster takes, or has too little of it. */
export class HostError extends XclusterError {}

/** What an examination of this machine found missing by itself; others throw their own floors' errors. */
export function lack(reason: string, remedy: string): HostError {
  return new HostError({ code: 'MACHINE_LACKS', kind: 'prerequisite', reason, remedy })
}
