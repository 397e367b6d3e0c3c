import { createServer, type Server } from 'node:net'
import { type Forward, loopback, segmentOf } from '../../plan/index.ts'
import { holderOf } from '../../sys/index.ts'
import { NetError } from '../errors.ts'

/** Throws PORT_TAKEN when a port of the host is taken, before anything is started. */
export async function mustBeFree(forwards: readonly Forward[]): Promise<void> {
  await Promise.all(forwards.map(tryPort))
}

/** Only the kernel knows: the port is opened and closed again. */
async function tryPort(forward: Forward): Promise<void> {
  const server = createServer()
  try {
    await listening(server, { host: loopback, port: forward.from, exclusive: true })
  } catch (failure) {
    throw portTaken(forward, failure as NodeJS.ErrnoException)
  }
  await new Promise(resolve => server.close(resolve))
}

function portTaken({ node, service, from }: Forward, failure: NodeJS.ErrnoException): NetError {
  const taken = failure.code === 'EADDRINUSE'
  const holder = taken ? holderOf({ protocol: 'tcp', address: loopback, port: from }) : undefined
  return new NetError({
    code: 'PORT_TAKEN',
    op: `forward to ${service} of node ${node}`,
    target: `${loopback}:${from}`,
    reason: taken ? `${holder ?? 'another program'} listens there` : failure.message,
    remedy: `Stop that program, or use other ports: ${settingOf(service)}`,
    cause: failure,
  })
}

function settingOf(service: string): string {
  const settings: Readonly<Record<string, string>> = {
    telnet: 'XCLUSTER_TELNET_BASE',
    ssh: 'XCLUSTER_SSH_BASE',
    http: 'XCLUSTER_K8S_PORT',
  }
  return settings[service] ?? 'XCLUSTER_K8S_API_PORT'
}

/** A segment that belongs to this process as long as this is open. */
export interface Claim {
  close(): Promise<void>
}

/**
 * Any number of sockets can be in a multicast group, so two clusters on one group would receive each other's
 * frames and have the same addresses. A socket with an abstract name marks the owner: the kernel lets only
 * one process have it, and removes it with the process. Throws SEGMENT_TAKEN.
 */
export async function claimSegment(net: number, mcastBase: number): Promise<Claim> {
  const { group, port } = segmentOf(net, mcastBase)
  const server = createServer(client => client.destroy())
  try {
    await listening(server, { path: `\0xcluster segment ${group}:${port}` })
  } catch (failure) {
    throw segmentTaken(net, group, { reason: 'another cluster uses this group', cause: failure as Error })
  }
  server.unref()
  const close = () => new Promise<void>(resolve => void server.close(() => resolve()))
  const holder = holderOf({ protocol: 'udp', address: group, port })
  if (holder === undefined) return { close }
  await close()
  throw segmentTaken(net, group, { reason: `${holder} is in this group` })
}

function segmentTaken(net: number, group: string, why: { reason: string; cause?: Error }): NetError {
  const remedy = 'Stop it, or use other groups: XCLUSTER_MCAST_BASE'
  return new NetError({ code: 'SEGMENT_TAKEN', op: `make net ${net}`, target: group, remedy, ...why })
}

function listening(server: Server, where: Parameters<Server['listen']>[0] & object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, resolve)
  })
}
