import { XclusterError } from '../errors/errors.ts'

/** What can be traced: messages to and from the kernel, QEMU and guest agents, guests, name servers; and VM states. */
export const traceAreas = ['netlink', 'nft', 'qmp', 'guest', 'dns', 'vm'] as const
export type TraceArea = (typeof traceAreas)[number]

/** The environment variable that names areas for a whole process. */
export const traceVariable = 'XCLUSTER_TRACE'

/** Reads `netlink,qmp` or `all`. An empty text names no area. */
export function readTraceAreas(text = ''): readonly TraceArea[] {
  const names = text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  if (names.includes('all')) return traceAreas
  return [...new Set(names.map(areaOf))]
}

function areaOf(name: string): TraceArea {
  const found = traceAreas.find(area => area === name)
  if (found !== undefined) return found
  throw new XclusterError({
    code: 'TRACE_AREA',
    kind: 'usage',
    target: traceVariable,
    reason: `'${name}' is not an area that can be traced`,
    remedy: `Name one or more of ${traceAreas.join(', ')}, separated by commas, or all`,
  })
}
