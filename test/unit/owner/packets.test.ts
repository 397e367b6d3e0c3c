import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { PcapngCounter } from '../../../src/cli/pcapng-counter.ts'
import { OwnerClient } from '../../../src/client/index.ts'
import { Listener } from '../../../src/owner/http/listener.ts'
import { serve } from '../../../src/owner/http/server.ts'
import { Owner } from '../../../src/owner/owner.ts'
import { planCluster, resolveSettings } from '../../../src/plan/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'

let root: string
let api: Listener
let owner: Owner
let client: OwnerClient

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'xc-'))
  const at = places({ XDG_RUNTIME_DIR: root }, 0)
  mkdirSync(`${root}/xcluster/default`, { recursive: true })
  const settings = resolveSettings({ options: { nvm: 2, nrouters: 0 } })
  owner = new Owner({
    plan: planCluster(settings),
    start: hooks => new FakeWorld().start(settings, hooks),
    captures: `${root}/captures`,
    leave: async () => {},
    log: () => {},
  })
  await owner.ready
  api = await Listener.open({
    socket: `${root}/xcluster/default/owner.sock`,
    log: () => {},
    load: server => serve({ owner, server, log: () => {} }),
  })
  client = new OwnerClient(at, 'default')
})

afterEach(async () => {
  await api.close()
  await owner.stop()
  rmSync(root, { recursive: true })
})

test('a capture is streamed until its reader ends its own direction, and then completed', async () => {
  const { socket, unseen } = await client.packets({ nodes: ['vm-002'], filter: 'greater 60' })
  const counter = new PcapngCounter()
  socket.end()
  for await (const piece of socket) counter.push(piece as Buffer)
  expect(unseen).toEqual([])
  expect(counter.complete).toBe(true)
  expect(counter.tally).toEqual({ frames: 2, bytes: 120, lost: 0 }) // one on each of its two interfaces
})

test('a capture has as much of each frame as was asked for', async () => {
  const { socket } = await client.packets({ nodes: ['vm-002'], snapLength: 20 })
  const counter = new PcapngCounter()
  socket.end()
  for await (const piece of socket) counter.push(piece as Buffer)
  expect(counter.tally).toEqual({ frames: 2, bytes: 40, lost: 0 })
})

test('a capture ends complete when the cluster is stopped', async () => {
  const { socket } = await client.packets({})
  const counter = new PcapngCounter()
  const stopping = owner.stop()
  for await (const piece of socket) counter.push(piece as Buffer)
  await stopping
  expect(counter.complete).toBe(true)
})

test.each([
  [{ nodes: ['9'] }, 'NODE_MISSING'],
  [{ nets: ['7'] }, 'NET_MISSING'],
  [{ nets: ['one'] }, 'BAD_REQUEST'],
  [{ filter: 'tcp prot' }, 'BAD_FILTER'],
  [{ snapLength: 13 }, 'BAD_ARGUMENT'],
  [{ snapLength: 262_145 }, 'BAD_ARGUMENT'],
])('a capture of what is not there is refused: %o', async (asked, code) => {
  await expect(client.packets(asked)).rejects.toMatchObject({ code })
})
