import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import { NetNamespace, openTaps, readSysctl, writeSysctl, writeSysctls } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace, ipJson } from '../../support/namespace.ts'
import { waitFor } from '../../support/wait.ts'

interface Link {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly linkinfo?: { info_kind: string; info_data: Record<string, unknown> }
}

const linksIn = (namespace: NetNamespace) => ipJson<Link>(namespace, ['-d', 'link'])
const namesIn = async (namespace: NetNamespace) => (await linksIn(namespace)).map(({ ifname }) => ifname)

test('taps appear in the namespace with the requested flags, and go when they are closed', async () => {
  await using namespace = NetNamespace.create()
  const plain = await openTaps(['xcbr0_t1', 'xcbr0_t240'], { namespace })
  const [offload] = await openTaps(['fifteen_bytes_1'], { namespace, vnetHdr: true })
  const links = await linksIn(namespace)
  expect(links.map(({ ifname }) => ifname)).toEqual(['lo', 'xcbr0_t1', 'xcbr0_t240', 'fifteen_bytes_1'])
  for (const { linkinfo } of links.slice(1))
    expect(linkinfo).toMatchObject({
      info_kind: 'tun',
      info_data: { type: 'tap', pi: false, persist: false },
    })
  expect(links.slice(1).map(({ linkinfo }) => linkinfo!.info_data.vnet_hdr)).toEqual([false, false, true])

  await Promise.all([...plain, offload!].map(tap => tap.close()))
  await plain[0]!.close()
  expect(() => plain[0]!.fd).toThrow('tap xcbr0_t1: already closed')
  expect(await waitFor(async () => (await namesIn(namespace)).length === 1)).toBe(true)
})

test("taps in another namespace do not appear in this process's own", async () => {
  await using namespace = NetNamespace.create()
  await using current = NetNamespace.current()
  expect(namespace.inode).not.toBe(current.inode)
  const before = await namesIn(current)
  const taps = await openTaps(['xc_elsewhere'], { namespace })
  expect(await namesIn(current)).toEqual(before)
  await taps[0]!.close()
})

test('when one name is taken no tap is made, and the error says which name it was', async () => {
  await using namespace = NetNamespace.create()
  await using tap = (await openTaps(['t2'], { namespace }))[0]!
  expect(tap.fd).toBeGreaterThan(2)
  await expect(openTaps(['t1', 't2', 't3'], { namespace })).rejects.toThrow(
    'create tap t2: an interface has this name already',
  )
  expect(await waitFor(async () => (await namesIn(namespace)).length === 2)).toBe(true)
  await inNamespace(namespace, ['ip', 'link', 'add', 'b0', 'type', 'bridge'])
  await expect(openTaps(['b0'], { namespace })).rejects.toThrow(
    'create tap b0: an interface has this name already',
  )
})

test('a namespace can be closed while taps are being opened in it', async () => {
  await using namespace = NetNamespace.create()
  await using same = NetNamespace.open(namespace.path)
  const opening = openTaps(['t1'], { namespace })
  await namespace.close()
  await using current = NetNamespace.current() // has the number that the closed one had
  expect(await namesIn(current)).not.toContain('t1')
  const [tap] = await opening
  expect(await namesIn(same)).toEqual(['lo', 't1'])
  await tap!.close()
})

test('a worker thread can be terminated while it opens taps, and none of them stays open', async () => {
  const source = new URL('../../../src/sys/index.ts', import.meta.url)
  const worker = new Worker(new URL('./open-taps.worker.ts', import.meta.url), {
    execArgv: ['--import', 'jiti/register'],
    workerData: source.href,
  })
  const [message] = await once(worker, 'message')
  expect(message).toBe('opening')
  expect(await worker.terminate()).toBe(1)
  const open = readdirSync('/proc/self/fd').filter(fd => targetOf(fd) === '/dev/net/tun')
  expect(open).toEqual([])
})

function targetOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined // the directory's own
  }
}

test('sysctls are written in order, up to the first that does not exist', async () => {
  await using namespace = NetNamespace.create()
  const [forward, missing, other] = [
    'net/ipv4/ip_forward',
    'net/ipv4/no_such',
    'net/ipv6/conf/all/forwarding',
  ]
  expect(() => writeSysctls(namespace, [forward, missing, other], '1')).toThrow(
    'write sysctl net/ipv4/no_such = 1: No such file or directory (open, ENOENT)',
  )
  expect([readSysctl(namespace, forward), readSysctl(namespace, other)]).toEqual(['1', '0'])
  writeSysctls(namespace, [forward, other], '1')
  expect(readSysctl(namespace, other)).toBe('1')
})

test('each namespace has its own value of a sysctl', async () => {
  await using namespace = NetNamespace.create()
  const outside = readSysctl(undefined, 'net/ipv4/ip_forward')
  expect(readSysctl(namespace, 'net/ipv4/ip_forward')).toBe('0')
  writeSysctl(namespace, 'net/ipv4/ip_forward', '1')
  expect(readSysctl(namespace, 'net/ipv4/ip_forward')).toBe('1')
  expect(readSysctl(undefined, 'net/ipv4/ip_forward')).toBe(outside)
  expect((await inNamespace(namespace, ['sysctl', '-n', 'net.ipv4.ip_forward'])).stdout).toBe('1\n')
  expect(() => writeSysctl(namespace, 'net/ipv4/ip_forward', 'perhaps')).toThrow(
    'write sysctl net/ipv4/ip_forward = perhaps: Invalid argument (write, EINVAL)',
  )
  expect(() => readSysctl(namespace, 'net/ipv4/no_such')).toThrow('No such file or directory')
})
