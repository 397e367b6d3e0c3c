import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CountersEvent } from '../../../src/api/index.ts'
import type { Reading } from '../../../src/cli/watch/reading.ts'
import { differences } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { Xc } from '../../support/xc.ts'

// One cluster that is watched, on screens, consoles, windows and by captures.
const xc = new Xc()
let census: Census

/** In the place of xterm: it writes its command line down. */
const xterm = `#!/bin/sh\nfor word; do printf '%s ' "$word"; done >"$0.$2"\n`

beforeAll(async () => {
  census = await takeCensus({ directories: [xc.runtime] })
  mkdirSync(`${xc.root}/bin`)
  writeFileSync(`${xc.root}/bin/xterm`, xterm)
  chmodSync(`${xc.root}/bin/xterm`, 0o755)
  xc.env.PATH = `${xc.root}/bin:${process.env.PATH}`
  xc.env.DISPLAY = ':99'
  await xc.good(['start', '--nvm', '1', '--nrouters', '1', '--ntesters', '1', '--xterm'])
})

afterAll(async () => {
  await xc.good(['stop'])
  await census.expectUnchanged()
})

test('xc start --xterm opens a window with the console of each node, in the colour of its role', async () => {
  const written = (node: string) => `${xc.root}/bin/xterm.${node}`
  const line = (node: string) => {
    try {
      return readFileSync(written(node), 'utf8')
    } catch {
      return ''
    }
  }
  const colors = { 'vm-001': '#040', 'vm-201': '#400', 'vm-221': '#004' }
  for (const [node, color] of Object.entries(colors)) {
    expect(await waitFor(() => line(node) !== '', 5000)).toBe(true)
    expect(line(node)).toMatch(
      new RegExp(`^-T ${node} -bg ${color} .* -e .*xc\\.js vm ${Number(node.slice(3))} --name default $`),
    )
  }
  const { DISPLAY: _, ...env } = xc.env
  const without = await Object.assign(new Xc(), { env }).run(['start', '--restart', '--xterm'])
  expect(without).toMatchObject({ status: 4, stderr: expect.stringContaining('DISPLAY is not set') })
  expect((await xc.run(['status'])).status).toBe(0) // refused before anything was stopped
})

describe('xc watch', () => {
  test('--json counts what nodes send and receive, as docs/json.md documents it', async () => {
    await xc.good(['exec', '1', '--', 'ping', '-c1', '-W5', '192.168.2.221'])
    const pings = 'ping -w 60 -i 0.1 -s 1000 192.168.2.221 >/dev/null 2>&1 &'
    await xc.good(['exec', '1', '--', 'sh', '-c', pings])
    const watch = ['watch', '--json', '--interval', '1.5', '--count', '1']
    const lines = (await xc.good(watch)).trim().split('\n')
    await xc.good(['exec', '1', '--', 'killall', 'ping'])
    const reading = JSON.parse(lines[0]!) as Reading
    expect(differences('xc watch', reading)).toEqual([])
    const bits = (id: number, net: number) =>
      reading.nodes.find(node => node.id === id)!.nets.find(each => each.net === net)!.sentBitsPerSecond
    expect(Math.min(bits(1, 1), bits(201, 1), bits(201, 2), bits(221, 2))).toBeGreaterThan(8000)
    expect(reading.nodes[0]!.cpuPercent).toBeGreaterThan(0)
    expect(reading.nets.map(({ net }) => net)).toEqual([0, 1, 2])
    expect(reading.nets[2]!.framesPerSecond).toBeGreaterThan(2)
  })

  test('the stream of events has counters of links and nets when it is asked for them', async () => {
    const owner = `${xc.runtime}/default/owner.sock`
    const curl = (query: string, seconds: string) =>
      spawnSync('curl', ['-sN', '-m', seconds, '--unix-socket', owner, `http://owner/v1/events${query}`])
    const texts = `${curl('?countersMs=300', '3').stdout}`
      .split('\n')
      .filter(line => line.startsWith('data: '))
    const events = texts.map(text => JSON.parse(text.slice(6)) as CountersEvent)
    const counters = events.filter(({ type }) => type === 'counters')
    expect(counters.length).toBeGreaterThan(2)
    const { links, nets, seconds } = counters.at(-1)!
    expect(seconds).toBeGreaterThanOrEqual(0.29)
    expect(links.map(({ name, dev }) => `${name}/${dev}`)).toContain('vm-201/eth2')
    expect(nets.map(({ net }) => net)).toEqual([0, 1, 2])
    expect(nets[0]!.frames).toBeGreaterThan(0)
    expect(JSON.parse(`${curl('?countersMs=1', '3').stdout}`)).toMatchObject({
      error: { code: 'BAD_ARGUMENT' },
    })
  })

  test('xc link impairs a link, lists it, and makes it whole, as docs/json.md documents it', async () => {
    const slow = await xc.good(['link', '1', 'eth1', '--delay-ms', '30', '--loss', '0.5', '--json'])
    const links = [
      {
        node: 'vm-001',
        dev: 'eth1',
        net: 1,
        direction: 'sent',
        by: 'netem in the guest',
        delayMs: 30,
        loss: 0.5,
      },
    ]
    expect(JSON.parse(slow)).toEqual({ v: 1, links })
    expect(differences('xc link', JSON.parse(slow))).toEqual([])
    expect(await xc.good(['link'])).toMatch(
      /vm-001 +eth1 +1 +sent +delay 30 ms, loss 50 % +netem in the guest/,
    )
    const received = await xc.good(['link', '1', 'eth1', '--direction', 'received', '--rate', '8000000'])
    expect(received).toMatch(/sent +delay 30 ms, loss 50 %.*\n.*received +rate 8000000 bit\/s/)
    expect(await xc.good(['link', '1', 'eth1', '--clear', '--direction', 'sent'])).not.toContain('delay')
    expect(await xc.good(['link', 'vm-001', 'eth1', '--clear'])).toBe('no link is impaired\n')
    for (const words of [
      ['1'],
      ['--down'],
      ['1', 'eth1', '--clear', '--down'],
      ['1', 'eth1', '--direction', 'received'],
      ['1', 'eth1', '--direction', 'in', '--loss', '0.1'],
      ['1', 'eth1', '--loss', '2'],
    ])
      expect(await xc.run(['link', ...words]), words.join(' ')).toMatchObject({ status: 2, stdout: '' })
  })

  test('counts what the kernel counts: xc metrics has the same numbers as ip -s link, and those of the forwarder', async () => {
    const { netns } = JSON.parse(await xc.good(['status', '--json'])) as { netns: string }
    const counted = () => {
      const list = execFileSync('nsenter', [`--net=${netns}`, 'ip', '-j', '-s', 'link', 'show', 'xcbr1_t1'])
      const [link] = JSON.parse(String(list)) as [{ stats64: { rx: { packets: number } } }]
      return link.stats64.rx.packets
    }
    const before = counted()
    const text = await xc.good(['metrics'])
    const after = counted()
    const value = /^xcluster_link_sent_packets_total\{.*node="vm-001",dev="eth1",net="1"\} (\d+)$/m.exec(
      text,
    )?.[1]
    expect(Number(value)).toBeGreaterThan(0)
    expect(Number(value)).toBeGreaterThanOrEqual(before)
    expect(Number(value)).toBeLessThanOrEqual(after)
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# TYPE \w+ \w+|\w+(\{.*\})? [\d.e+-]+)$/)
    expect(text).toContain(
      'xcluster_node_state{cluster="default",node="vm-221",role="tester",state="ready"} 1',
    )
    expect(text).toContain('coredns_build_info')
  })

  test('opens a console and comes back, and a node that is paused there shows at once', async () => {
    const shell = xc.onTerminal('xc watch')
    const type = (keys: string) => shell.child.stdin!.write(keys)
    await shell.says(/vm-221 +tester +ready/)
    type('\r')
    await shell.says(/Connected to the console of node vm-001/)
    type('echo a"b"c\r')
    await shell.says(/^abc\r$/m)
    type('\u001d')
    await shell.says(/Disconnected; the node keeps running\.[\s\S]*q quit/)
    type('p')
    await shell.says(/vm-001 +vm +paused/)
    type('r')
    await shell.says(/Resumed: vm-001/)
    type('q')
    expect((await shell.result).status).toBe(0)
  })
})

describe('a console', () => {
  test('has the size of the window that types, and its shell is not disturbed', async () => {
    const shell = xc.onTerminal('xc vm 201')
    await shell.says(/Connected to the console/)
    const sized = async () =>
      (await xc.run(['exec', '201', '--', 'stty', '-F', '/dev/ttyS0', 'size'])).stdout === '40 100\n'
    expect(await waitFor(sized, 10_000)).toBe(true)
    shell.child.stdin!.write('stty size\r')
    await shell.says(/^40 100\r$/m)
    const viewer = xc.onTerminal('xc vm 201')
    await viewer.says(/Viewing the console of node 201: another terminal types there/)
    await viewer.says(/40 100/)
    viewer.child.stdin!.write('echo not"heard"\r\u0003')
    await viewer.says(/Disconnected/)
    const taker = xc.onTerminal('xc vm 201 --take')
    await taker.says(/Connected to the console/)
    await shell.says(/another terminal types here now/)
    taker.child.stdin!.write('echo ta"ken"\r')
    await shell.says(/^taken\r$/m)
    expect(shell.stdout).not.toContain('notheard')
    for (const each of [shell, taker]) each.child.stdin!.write('\u001d')
    await Promise.all([viewer, shell, taker].map(({ result }) => result))
  })
})

test('xc tcpdump --json is as docs/json.md documents it, and a reset does not end a capture', async () => {
  const start = JSON.parse(await xc.good(['tcpdump', '--start', '221', '--json']))
  expect(differences('xc tcpdump', start)).toEqual([])
  expect(start.captures.map(({ dev }: { dev: string }) => dev)).toEqual(['eth0', 'eth1'])
  await xc.good(['reset', '221'])
  await xc.good(['exec', '221', '--', 'ping', '-c', '3', '-W5', '192.168.2.201'])
  const { captures } = JSON.parse(
    await xc.good(['tcpdump', '--get', '221', 'eth1', '--dir', xc.root, '--json']),
  )
  expect(captures[0].frames).toBeGreaterThan(5)
  expect(readFileSync(`${xc.root}/vm-221-eth1.pcap`).length).toBe(
    24 + captures[0].bytes + 16 * captures[0].frames,
  )
  const again = await xc.run(['tcpdump', '--get', '221', 'eth1'])
  expect(again).toMatchObject({ status: 3, stderr: expect.stringContaining('no capture of it runs') })
  expect((await xc.run(['tcpdump', '--start', '221', 'eth0'])).stderr).toContain(
    'a capture of it runs already',
  )
})
