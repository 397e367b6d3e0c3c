import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { TestingError } from './errors.ts'

/** What a descriptor of a cluster points at: taps, other network namespaces, memory of VMs. */
const ofClusters = /^(\/dev\/net\/tun|\/memfd:xcluster|net:)/

/** Programs that clusters start. */
const programs = ['qemu-system', 'xcluster-launc', 'pasta']

/**
 * Throws CLUSTER_LEFT when this process still has something of a cluster: a VM, a tap, a network namespace or the memory
 * of a frozen node. Call it when all clusters and labs are closed. The kernel removes all of it when the process ends.
 */
export function assertNoLeaks(): void {
  const left = [...ownChildren(), ...ownDescriptors()]
  if (left.length === 0) return
  throw new TestingError({
    code: 'CLUSTER_LEFT',
    op: 'end',
    target: 'clusters',
    reason: `this process still has ${left.join(', ')}`,
    remedy: 'Close every cluster and lab: `await using`, stop() or dispose()',
  })
}

function ownChildren(): string[] {
  return readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid)) return []
    const [, name = '', parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(textOf(`/proc/${pid}/stat`)) ?? []
    const isOurs = Number(parent) === process.pid && programs.some(program => name.startsWith(program))
    return isOurs ? [`${name} (process ${pid})`] : []
  })
}

/** Node itself has no descriptor of a network namespace: its own is a link in /proc, and not open. */
function ownDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    const target = linkOf(`/proc/self/fd/${fd}`)
    return ofClusters.test(target) ? [`${target.replace(' (deleted)', '')} (descriptor ${fd})`] : []
  })
}

/** Empty for a process that has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
