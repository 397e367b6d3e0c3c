import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { version, versionHeader } from '../../../../src/base/index.ts'
import { keysIn } from '../../../../src/cli/terminal.ts'
import { waitFor } from '../../../support/wait.ts'
import { type RunningXc, Xc } from '../../../support/xc.ts'

const xc = new Xc()
const asked: string[] = []
let server: Server
let reads = 0

const nodes = [1, 2].map(id => ({
  id,
  name: `vm-00${id}`,
  role: 'vm',
  state: 'ready',
  nets: [],
  milestones: {},
}))
const status = { v: 1, name: 'default', state: 'ready', topology: 'xnet', nodes }

/** A fake owner: a cluster of two nodes, which does what it is asked. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = ''
  request.on('data', text => {
    body += text
  })
  request.on('end', () => {
    const counters = { v: 1, atMs: 1000 * reads, load: [1, 2, 3], nodes: [{ id: 1, cpuMs: 0, nets: [] }] }
    response.setHeader(versionHeader, version)
    if (request.url === '/v1/counters') reads++
    else if (request.url !== '/v1/status' && request.url !== '/v1/events')
      asked.push(`${request.url} ${body}`)
    if (request.url === '/v1/events') response.writeHead(200).flushHeaders()
    else response.end(JSON.stringify(request.url === '/v1/counters' ? counters : status))
  })
}

beforeAll(async () => {
  mkdirSync(`${xc.runtime}/default`)
  server = createServer(answer)
  await new Promise<void>(resolve => server.listen(`${xc.runtime}/default/owner.sock`, resolve))
})
afterAll(() => server.closeAllConnections())

const [other, back] = ['\u001b[?1049h', '\u001b[?1049l']
/** A watch on a terminal, whose settings are printed before and after it. */
async function watching(): Promise<RunningXc> {
  const shell = xc.onTerminal('stty -g; xc watch --interval 0.1; echo "status $?"; stty -g; echo over')
  await shell.says(/vm-001[^\n]*ready/, 10_000)
  return shell
}

async function leftAsItWas(shell: RunningXc, ending: number): Promise<void> {
  await shell.says(/over/, 10_000)
  const modes = Array.from(shell.stdout.matchAll(/^[0-9a-f]+(:[0-9a-f]+)+\r$/gm), ([mode]) => mode)
  expect(modes).toHaveLength(2)
  expect(modes[1]).toBe(modes[0])
  expect(shell.stdout).toContain(other)
  expect(shell.stdout.slice(shell.stdout.lastIndexOf(other))).toContain(back)
  expect(shell.stdout.slice(shell.stdout.lastIndexOf('\u001b[?25l'))).toContain('\u001b[?25h')
  expect(shell.stdout).toContain(`status ${ending}`)
  await shell.result
}

describe('xc watch leaves the terminal as it was', () => {
  test.each([
    ['q', 'q'],
    ['Ctrl-C', '\u0003'],
    ['Escape', '\u001b'],
  ])('after %s', async (_, key) => {
    const shell = await watching()
    shell.child.stdin!.write(key)
    await leftAsItWas(shell, 0)
  })

  test.each([
    ['TERM', 143],
    ['HUP', 129],
  ])('after SIG%s', async (signal, ending) => {
    const shell = xc.onTerminal(
      `stty -g; sh -c 'echo pid $$; exec env xc watch --interval 0.1'; echo "status $?"; stty -g; echo over`.replace(
        'env xc',
        'xc',
      ),
    )
    await shell.says(/vm-001[^\n]*ready/, 10_000)
    process.kill(Number(/pid (\d+)/.exec(shell.stdout)![1]), `SIG${signal}` as NodeJS.Signals)
    await leftAsItWas(shell, ending)
  })
})

describe('the keys of xc watch', () => {
  test('select a node and change it; those that lose something ask first', async () => {
    const shell = await watching()
    const press = async (key: string, said: RegExp) => {
      shell.child.stdin!.write(key)
      await shell.says(said, 5000)
    }
    await press('\u001b[B', /\[7m2 +vm-002/)
    await press('p', /Paused: vm-002\./)
    await press('r', /Resumed: vm-002\./)
    await press('R', /Reset vm-002\? .*lost/)
    await press('n', /q quit/)
    await press('ks', /Stop vm-001\?/)
    await press('y', /Stopped: vm-001\./)
    shell.child.stdin!.write('q')
    await shell.result
    expect(asked).toEqual([
      '/v1/pause {"nodes":["vm-002"]}',
      '/v1/resume {"nodes":["vm-002"]}',
      '/v1/halt {"nodes":["vm-001"]}',
    ])
  })

  test('are told apart when they come together', () => {
    expect(keysIn('p\u001b[A\u001bOBq\u001b')).toEqual(['p', '\u001b[A', '\u001bOB', 'q', '\u001b'])
  })
})

describe('xc watch that is not on a terminal', () => {
  test('prints one table and ends', async () => {
    const { stdout, stderr, status: ending } = await xc.run(['watch', '--interval', '0.1'])
    expect(stdout).toMatch(/^default: ready, xnet, 2 nodes, load 1\.00 2\.00 3\.00$/m)
    expect(stdout).toMatch(/^2 +vm-002 +vm +ready +-$/m)
    expect([stderr, ending]).toEqual(['', 0])
  })

  test('prints as many JSON lines as are asked for, or until it is ended', async () => {
    const two = await xc.good(['watch', '--json', '--interval=0.1', '--count=2'])
    expect(
      two
        .trim()
        .split('\n')
        .map(line => (JSON.parse(line) as { v: number }).v),
    ).toEqual([1, 1])
    const endless = xc.begin(['watch', '--json', '--interval=0.1'])
    expect(await waitFor(() => endless.stdout.split('\n').length > 3, 10_000)).toBe(true)
    endless.child.kill()
    await endless.result
  })

  test.each([
    ['--interval', '0'],
    ['--interval', 'x'],
    ['--count', '0'],
  ])('refuses %s %s', async (...words) => {
    expect(await xc.run(['watch', ...words])).toMatchObject({ status: 2, stdout: '' })
  })
})
