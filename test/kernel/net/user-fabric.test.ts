import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect } from 'vitest'
import { openUserFabric } from '../../../src/net/index.ts'
import { planBridges, segmentOf } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'
import { freeNumbers } from '../../support/user-wiring.ts'

const planOf = (...nodes: { id: number; nets: number[] }[]) =>
  planBridges({ mtu: 1500, nodes, host: new Map() })
const one = { id: 1, nets: [0, 1] }

async function listenOn(port: number, host = '127.0.0.1') {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  return { [Symbol.asyncDispose]: () => new Promise<void>(resolve => void server.close(() => resolve())) }
}

test("a user-space network needs only free ports and groups, and gives QEMU's options", async () => {
  await using fabric = await openUserFabric(planOf(one), await freeNumbers())
  expect(fabric).toMatchObject({ kind: 'user', namespace: undefined })
  const nics = await fabric.nics(1)
  expect(nics.map(({ fds }) => fds)).toEqual([[], []])
  expect(await fabric.nics(2)).toEqual([])
  await fabric.close()
  await expect(fabric.nics(1)).rejects.toMatchObject({ code: 'NETWORK_CLOSED' })
})

describe('a taken port of a user-space network', () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::'])
    test(`on ${host} is refused, and the error names the program that has it`, async () => {
      const wiring = await freeNumbers()
      await using _ = await listenOn(wiring.sshBase + 1, host)
      await expect(openUserFabric(planOf(one), wiring)).rejects.toMatchObject({
        code: 'PORT_TAKEN',
        op: 'forward to ssh of node 1',
        target: `127.0.0.1:${wiring.sshBase + 1}`,
        reason: expect.stringMatching(new RegExp(`\\(process ${process.pid}\\) listens there$`)),
        remedy: expect.stringContaining('XCLUSTER_SSH_BASE'),
      })
    })

  test('by an existing node does not prevent another node from being added', async () => {
    const wiring = await freeNumbers()
    await using fabric = await openUserFabric(planOf(one), wiring)
    await using _ = await listenOn(wiring.telnetBase + 1) // as the QEMU of node 1 would
    await fabric.change(planOf(one, { id: 2, nets: [0, 1] }))
    expect(await fabric.nics(2)).toHaveLength(2)
  })

  test('prevents a node from being added, and leaves the network as it was', async () => {
    const wiring = await freeNumbers()
    await using fabric = await openUserFabric(planOf(one), wiring)
    await using _ = await listenOn(wiring.telnetBase + 2)
    await expect(fabric.change(planOf(one, { id: 2, nets: [0, 2] }))).rejects.toMatchObject({
      code: 'PORT_TAKEN',
    })
    expect(await fabric.nics(2)).toEqual([])
    await fabric.change(planOf({ id: 1, nets: [0] }))
  })
})

describe('a multicast segment', () => {
  const quiet = { telnetBase: 0, sshBase: 0, k8sPort: 0, k8sApiPort: 0 }

  test('belongs to one cluster only', async () => {
    const wiring = { ...(await freeNumbers()), ...quiet }
    await using first = await openUserFabric(planOf(one), wiring)
    await expect(openUserFabric(planOf(one), wiring)).rejects.toMatchObject({
      code: 'SEGMENT_TAKEN',
      target: segmentOf(1, wiring.mcastBase).group,
      reason: 'another cluster uses this group',
      remedy: expect.stringContaining('XCLUSTER_MCAST_BASE'),
    })
    await first.close()
    await using second = await openUserFabric(planOf(one), wiring)
    expect(second.kind).toBe('user')
  })

  test('with another program in its group is refused, and the error names the program', async () => {
    const wiring = { ...(await freeNumbers()), ...quiet }
    const { group, port } = segmentOf(2, wiring.mcastBase)
    const socket = createSocket({ type: 'udp4', reuseAddr: true }).bind(port, group)
    await once(socket, 'listening')
    const opening = openUserFabric(planOf({ id: 1, nets: [0, 1, 2] }), wiring)
    await expect(opening).rejects.toMatchObject({
      code: 'SEGMENT_TAKEN',
      op: 'make net 2',
      reason: expect.stringContaining(`(process ${process.pid}) is in this group`),
    })
    socket.close()
    await once(socket, 'close')
    await using again = await openUserFabric(planOf({ id: 1, nets: [0, 1, 2] }), wiring)
    expect(again.kind).toBe('user')
  })

  test('is free again when the last node has left it', async () => {
    const wiring = { ...(await freeNumbers()), ...quiet }
    await using first = await openUserFabric(planOf({ id: 1, nets: [0, 1, 2] }), wiring)
    await first.change(planOf({ id: 1, nets: [0, 1] }))
    await using other = await openUserFabric(planOf({ id: 1, nets: [0, 2] }), wiring)
    expect(other.kind).toBe('user')
  })
})
