import { XclusterError } from '../base/index.ts'

/** The code is BAD_TOPOLOGY: it says where in the file, and what is wrong there. */
export class TopologyError extends XclusterError {}

/** `place` is `lab.yaml:12:5 (setup.201)`, or `lab.ts (setup.201)`. */
export function badTopology(place: string, reason: string, remedy?: string): TopologyError {
  return new TopologyError({
    code: 'BAD_TOPOLOGY',
    kind: 'usage',
    op: 'read topology',
    target: place,
    reason,
    ...(remedy !== undefined && { remedy }),
  })
}
