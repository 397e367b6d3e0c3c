import { existsSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import type { ChangedSysctl } from '../../api/index.ts'
import { type Clock, forwardingRecord, systemClock, until } from '../../base/index.ts'
import { type Lost, openRoute, type RouteEvent } from '../../rtnl/index.ts'
import {
  lockFile,
  makeDirectory,
  type NetNamespace,
  readSysctl,
  SysError,
  writeSysctl,
} from '../../sys/index.ts'
import { NetError } from '../errors.ts'

type Values = Readonly<Record<string, string>>

const switches = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']

/** How uplinks are called outside: as long as there is one, packets have to be forwarded. */
export const uplinkName = /^xcluster\d+$/

/**
 * Lets the namespace forward packets, and writes down how it was before, in a file of `directory` that survives
 * us. To switch forwarding on or off the kernel sets the same for every interface, and no longer heeds router
 * advertisements (Documentation/networking/ip-sysctl.rst): so all of that is written down, and routers that the
 * namespace has found stay heeded.
 */
export async function forward(namespace: NetNamespace, directory: string): Promise<ChangedSysctl[]> {
  const isOff = (name: string) => tryRead(namespace, name) === '0'
  // Without a record no other uplink will disable it.
  if (!switches.some(isOff) && !existsSync(forwardingRecord(directory, namespace.inode))) return []
  return await withRecord({ namespace, directory }, async record => {
    const off = switches.filter(isOff)
    if (off.length === 0) return []
    const { before, heeding } = await readAll(namespace)
    if (!record.read()) record.write(before)
    for (const name of heeding) writeSysctl(namespace, name, '2')
    for (const name of off) writeSysctl(namespace, name, '1')
    return [...off, ...heeding].map(name => ({ name, before: before[name]! }))
  })
}

/** Puts everything back as it was, unless there is an uplink that needs it. True when there is nothing left to do. */
export async function restoreForwarding(
  namespace: NetNamespace,
  directory: string,
  clock: Clock = systemClock,
): Promise<boolean> {
  if (!existsSync(forwardingRecord(directory, namespace.inode))) return true
  return await withRecord({ namespace, directory, clock }, async record => {
    const before = record.read()
    if (!before) return true
    if ((await linksOf(namespace)).some(({ name }) => uplinkName.test(name))) return false
    // First the switches, which set all others, then those that were not like them.
    for (const name of [...switches, ...Object.keys(before)]) {
      const [is, was] = [tryRead(namespace, name), before[name]]
      if (is !== undefined && was !== undefined && is !== was) writeSysctl(namespace, name, was)
    }
    record.write(undefined)
    return true
  })
}

/**
 * Puts everything back as soon as the last uplink has gone, which it waits for: the kernel removes the namespace of an
 * owner that was killed in its own time. False when an uplink is still there after `withinMs`.
 */
export async function settleForwarding(
  namespace: NetNamespace,
  directory: string,
  { withinMs, clock = systemClock }: { readonly withinMs: number; readonly clock?: Clock },
): Promise<boolean> {
  await using route = openRoute({ namespace })
  const changes = route.monitor(['links']) // from before the first look, so that none is missed
  if (await restoreForwarding(namespace, directory, clock)) return true
  const callOff = clock.after(withinMs, () => void changes.close())
  try {
    for await (const change of changes)
      if (isLoss(change) && (await restoreForwarding(namespace, directory, clock))) return true
    return false
  } finally {
    callOff()
  }
}

/** Whether an uplink has gone, or may have. */
function isLoss(change: RouteEvent | Lost): boolean {
  if (change.type === 'lost') return true
  return change.type === 'link' && change.gone && uplinkName.test(change.link.name)
}

interface RecordPlace {
  readonly namespace: NetNamespace
  readonly directory: string
  readonly clock?: Clock
}

interface Written {
  read(): Values | undefined
  write(values: Values | undefined): void
}

/** Runs `work` with the record locked against other processes. An empty record is removed afterwards. */
async function withRecord<T>(
  { namespace, directory, clock = systemClock }: RecordPlace,
  work: (record: Written) => Promise<T>,
): Promise<T> {
  makeDirectory(directory, 0o700)
  const path = forwardingRecord(directory, namespace.inode)
  await using lock = await lockSoon(path, clock)
  const text = readFileSync(path, 'utf8')
  let values: Values | undefined = text ? JSON.parse(text) : undefined
  try {
    return await work({
      read: () => values,
      write(next) {
        if (next && values === undefined) writeSync(lock.fd, JSON.stringify(next))
        values = next
      },
    })
  } finally {
    if (values === undefined) unlinkSync(path)
  }
}

async function lockSoon(path: string, clock: Clock) {
  const lock = await until(clock, () => lockFile(path), { everyMs: 5, withinMs: 2000, why: 'lock' })
  if (lock) return lock
  const reason = 'another process has been holding it for two seconds'
  throw new NetError({ code: 'FORWARDING_BUSY', op: 'lock', target: path, reason })
}

async function readAll(namespace: NetNamespace): Promise<{ before: Values; heeding: string[] }> {
  const links = (await linksOf(namespace)).filter(({ name }) => !uplinkName.test(name))
  const places = ['all', 'default', ...links.map(({ name }) => name)]
  const names = [
    ...switches,
    'net/ipv4/conf/all/accept_redirects',
    ...places.flatMap(place => [`net/ipv4/conf/${place}/forwarding`, `net/ipv6/conf/${place}/forwarding`]),
  ]
  const heeding = await heedingRouters(namespace, links)
  const values = [...names, ...heeding].map(name => [name, tryRead(namespace, name)] as const)
  return { before: Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Values, heeding }
}

const fromRouter = 9 // RTPROT_RA

/** Of the interfaces that have found a router, those that would forget it. */
async function heedingRouters(
  namespace: NetNamespace,
  links: readonly { readonly index: number; readonly name: string }[],
): Promise<string[]> {
  await using route = openRoute({ namespace })
  const found = (await route.routes.list({ family: 6 })).filter(({ protocol }) => protocol === fromRouter)
  const names = links
    .filter(({ index }) => found.some(({ dev }) => dev === index))
    .map(({ name }) => `net/ipv6/conf/${name}/accept_ra`)
  return names.filter(name => tryRead(namespace, name) === '1')
}

async function linksOf(namespace: NetNamespace) {
  await using route = openRoute({ namespace })
  return await route.links.list()
}

/** Undefined when the namespace has no such sysctl, or the name is not that of a sysctl. */
function tryRead(namespace: NetNamespace, name: string): string | undefined {
  try {
    return readSysctl(namespace, name)
  } catch (failure) {
    if (failure instanceof SysError && (failure.errnoName === 'ENOENT' || failure.code === 'BAD_SYSCTL'))
      return undefined
    throw failure
  }
}
