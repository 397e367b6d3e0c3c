// For node:test: one test passes, the others fail in the ways that a test can fail.
import assert from 'node:assert/strict'
import * as runner from 'node:test'
import { clusterTest } from 'xcluster/testing'

const test = clusterTest(runner, { nvm: 1, nrouters: 0, smp: 1 }, { timeoutMs: 6000 })

test('begins with what was prepared', async ({ vm }) => {
  assert.equal(await vm(1).succeed('hostname'), 'vm-001\n')
})

test('fails: an assertion', async ({ vm }) => {
  await vm(1).succeed('ip route add 10.9.0.0/16 dev eth0; echo from the guest >/dev/console')
  assert.equal(await vm(1).succeed('echo one'), 'two\n')
})

test('fails: it never ends', async () => {
  await new Promise(() => {})
})

test('fails: a wait', async ({ vm }) => {
  await vm(1).waitFor({ port: 4711 }, { timeoutMs: 500 })
})
