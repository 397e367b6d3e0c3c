import { XclusterError } from '../base/index.ts'

/** This machine lacks something that a cluster needs, or has too little of it. */
export class HostError extends XclusterError {}

/** The error of a check of `xc doctor`. Checks that use another floor may throw that floor's errors instead. */
export function lack(reason: string, remedy: string): HostError {
  return new HostError({ code: 'MACHINE_LACKS', kind: 'prerequisite', reason, remedy })
}
