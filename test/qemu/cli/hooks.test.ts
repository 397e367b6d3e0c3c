import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Status } from '../../../src/client/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { Xc } from '../../support/xc.ts'

// The example of docs/network.md's "Full custom": a copy of `start` with one more network, by a hook.
const xc = new Xc()
const heard = `${xc.root}/heard`
let census: Census
let status: Status & { check: { ok: boolean } }

const hook = `import { appendFileSync } from 'node:fs'
import { defineConfig } from 'xcluster/config'

const hear = (text: string) => appendFileSync(${JSON.stringify(heard)}, text + '\\n')

export default defineConfig({
  commands: {
    mystart: {
      summary: 'start with one more network',
      like: 'start',
      run: xc => xc.original(['--nets-vm', '0,1,3', '--nets-router', '0,1,2,3', ...xc.argv]),
    },
    addresses: {
      summary: 'print the addresses of a node',
      arguments: '<node>',
      async run(xc) {
        const { stdout } = await xc.cluster().exec(xc.args[0]!, { argv: ['ip', '-4', '-br', 'addr'] })
        process.stdout.write(stdout)
      },
    },
  },
  replace: {
    async stop(xc) {
      const { nodes } = await xc.cluster().status()
      hear('stopping ' + nodes.length)
      return await xc.original()
    },
  },
  prepare: ({ settings }) => hear('prepare ' + settings.netsVm),
  onEvent(event) {
    if (event.type === 'node' && event.state === 'ready') hear(event.name + ' ready')
    if (event.type === 'cluster') hear('cluster ' + event.status.nodes.length)
  },
})
`

beforeAll(async () => {
  const file = `${xc.root}/experiment.ts`
  writeFileSync(file, hook)
  xc.env.XCLUSTER_HOOK = file
  census = await takeCensus({ directories: [xc.runtime] })
  status = JSON.parse(await xc.good(['mystart', '--nvm', '1', '--nrouters=1', '--json', '--check']))
})

afterAll(async () => {
  expect(await xc.good(['stop', '--json'])).toBe('{"v":1,"stopped":["default"]}\n')
  expect(readFileSync(heard, 'utf8')).toMatch(/^stopping 2$/m)
  await census.expectUnchanged()
})

test('a copy of start with one more network makes a cluster whose nodes reach each other on it', () => {
  expect(status).toMatchObject({ state: 'ready', check: { ok: true } })
  expect(status.nodes.map(({ name, nets }) => [name, ...nets.map(({ net }) => net)])).toEqual([
    ['vm-001', 0, 1, 3],
    ['vm-201', 0, 1, 2, 3],
  ])
})

test('a command of the hook uses the running cluster, and the guest has the network', async () => {
  const addresses = await xc.good(['addresses', '1'])
  expect(addresses).toMatch(/^eth2 +UP +192\.168\.3\.1\/24/m)
  expect(await xc.run(['exec', '1', '--', 'ping', '-c1', '-W5', '192.168.3.201'])).toMatchObject({
    status: 0,
  })
})

test('prepare was called once before the start, and the events came in order', () => {
  const lines = readFileSync(heard, 'utf8').trim().split('\n')
  expect(lines[0]).toBe('prepare 0,1,3')
  expect(lines.slice(1, 3).sort()).toEqual(['vm-001 ready', 'vm-201 ready'])
  expect(lines[3]).toBe('cluster 2')
})
