import { request } from 'node:http'
import { expect } from 'vitest'
import { debugHeader } from '../../../src/base/index.ts'
import { test } from '../../support/leaks.ts'
import { type OwnerProcess, startOwner } from '../../support/owner-process.ts'

interface Refusal {
  readonly status: number
  readonly error: { readonly code: string; readonly message: string; readonly stack?: string }
}

/** Posts a body to the owner's API, and returns its refusal. */
function refused(
  owner: OwnerProcess,
  path: string,
  ask: { body: string; headers?: object },
): Promise<Refusal> {
  const headers = { 'content-type': 'application/json', ...ask.headers }
  return new Promise((resolve, reject) => {
    const options = { socketPath: owner.at.socket, method: 'POST', path, headers, agent: false }
    const asked = request(options, answer => {
      answer.setEncoding('utf8')
      let text = ''
      answer.on('data', piece => {
        text += piece
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, ...JSON.parse(text) }))
    })
    asked.on('error', reject)
    asked.end(ask.body)
  })
}

async function running(): Promise<OwnerProcess> {
  const owner = await startOwner({ options: { nvm: 2, nrouters: 0, clone: 'off' } })
  await owner.until('ready')
  owner.launch.keep()
  await owner.ended()
  return owner
}

test('the API says what a parameter must be, how large a request may be, and gives stacks to --debug alone', async () => {
  await using owner = await running()
  const words = [
    ['/v1/pause', '{"nodes":"1"}', 'nodes must be a list of nodes, such as [1, "vm-002"]'],
    ['/v1/pause', '{"nodes":[]}', 'nodes must be a list of nodes'],
    ['/v1/pause', '{"nodes":[1.5]}', 'nodes must be a list of nodes'],
    ['/v1/pause', '{"node":["1"]}', 'it has no parameter node'],
    ['/v1/pause', '[1]', 'its body must be a JSON object'],
    ['/v1/reset', '{"wait":1}', 'wait must be true or false'],
    ['/v1/nodes/1/exec', '{}', 'argv must be a list of one or more words'],
    ['/v1/nodes/1/exec', '{"argv":["a"],"input":"?"}', 'input must be bytes in base64'],
    [
      '/v1/nodes/1/exec',
      '{"argv":["a"],"timeoutMs":0}',
      'timeoutMs must be a whole number of milliseconds above 0',
    ],
  ] as const
  for (const [path, body, reason] of words) {
    const { status, error } = await refused(owner, path, { body })
    expect([status, error.code, error.stack], body).toEqual([400, 'BAD_REQUEST', undefined])
    expect(error.message).toBe(
      `read request: ${reason}${reason.endsWith('nodes') ? ', such as [1, "vm-002"]' : ''}. GET /v1/openapi.json has the parameters of each route.`,
    )
  }
  const large = JSON.stringify({ argv: ['cat'], input: 'A'.repeat(64 << 20) })
  expect((await refused(owner, '/v1/nodes/1/exec', { body: large })).error.message).toMatch(
    /its body is larger than 64 MiB, .* 32 MiB of input .*Send the input in parts/,
  )
  const debug = await refused(owner, '/v1/pause', { body: '[]', headers: { [debugHeader]: '1' } })
  expect(debug.error.stack).toContain('OwnerError')
  await owner.client.stop()
})

test('a node that a request names twice, in either spelling, is changed once', async () => {
  await using owner = await running()
  const paused = await owner.client.pause({ nodes: ['1', 1, 'vm-001'] })
  expect(paused.nodes.map(({ state }) => state)).toEqual(['paused', 'ready'])
  await owner.client.resume({ nodes: ['vm-001', '1'] })
  const grown = await owner.client.scaleout({ nodes: ['3', 'vm-003'] })
  expect(grown.nodes.map(({ id }) => id)).toEqual([1, 2, 3])
  const shrunk = await owner.client.scalein({ nodes: ['3', 3] })
  expect(shrunk.nodes.map(({ id }) => id)).toEqual([1, 2])
  await owner.client.stop()
})
