import { execFileSync, spawn } from 'node:child_process'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { readPcapng } from '../../support/pcapng-reader.ts'
import { oneSentence, RunningXc, Xc } from '../../support/xc.ts'

const small = ['--nvm', '2', '--nrouters', '0', '--smp', '1']
const ping = ['exec', '1', '--', 'ping', '-q', '-c', '3', '-i', '0.1', '192.168.1.2']

test('a capture begins when it says so, and its file is complete after Ctrl-C', async ({ census }) => {
  const xc = new Xc()
  await xc.good(['start', ...small])
  const file = join(xc.root, 'all.pcapng')
  const capturing = xc.begin(['capture', '--net', '1', '--filter', 'icmp', '-s', '60', '-w', file])
  await capturing.says(/^Capturing until Ctrl-C\.\n/)
  await xc.good(ping)
  capturing.child.kill('SIGINT')
  expect(await capturing.result).toMatchObject({ status: 0, stdout: `${file}\n` })
  const { links, packets } = readPcapng(readFileSync(file))
  expect(links).toEqual(['vm-001/eth1', 'vm-002/eth1'])
  expect(await xc.good(['capture', '--filter', '', '--for', '0.2', '-w', file])).toBe(`${file}\n`)
  expect(packets.map(({ bytes, original }) => [bytes.length, original])).toEqual(Array(12).fill([60, 98]))
  await xc.good(['stop'])
  await census.expectUnchanged()
})

test('Wireshark finds running clusters by the script for it, and captures one until it closes the pipe', async ({
  census,
}) => {
  const xc = new Xc()
  const script = (await xc.good(['capture', '--install-extcap', join(xc.root, 'extcap')])).trim()
  expect(readdirSync(join(xc.root, 'extcap'))).toEqual(['xcluster'])
  const asks = (...args: string[]) => execFileSync(script, args, { env: xc.env, encoding: 'utf8' })
  expect(asks('--extcap-interfaces', '--extcap-version=4.4')).toMatch(/^extcap \{version=[^\n]*\n$/)
  await xc.good(['start', ...small, '--name', 'lab'])
  expect(asks('--extcap-interfaces')).toMatch(/\ninterface \{value=xcluster-lab\}\{display=xcluster lab\}\n$/)
  expect(asks('--extcap-interface', 'xcluster-lab', '--extcap-dlts')).toBe(
    'dlt {number=1}{name=EN10MB}{display=Ethernet}\n',
  )
  expect(asks('--extcap-interface', 'xcluster-lab', '--extcap-config')).toMatch(
    /^arg \{number=0\}\{call=--node\}/,
  )

  const fifo = join(xc.root, 'fifo')
  execFileSync('mkfifo', [fifo])
  const begin = (...args: string[]) => {
    const asked = ['--capture', '--extcap-interface', 'xcluster-lab', '--fifo', fifo]
    return new RunningXc(spawn(script, [...asked, ...args], { env: xc.env }))
  }
  const capturing = begin('--node', '1', '--net', '1', '--extcap-capture-filter', 'icmp')
  const reader = createReadStream(fifo)
  const first = await new Promise<Buffer>(resolve => reader.once('data', piece => resolve(piece as Buffer)))
  expect(readPcapng(first).links).toEqual(['vm-001/eth1'])
  const pings = xc.begin(['exec', '--name', 'lab', ...ping.slice(1)])
  const more = await new Promise<Buffer>(resolve => reader.once('data', piece => resolve(piece as Buffer)))
  expect(more.readUInt32LE(0)).toBe(6) // an enhanced packet block
  reader.destroy()
  await pings.result
  await xc.good(['exec', '--name', 'lab', ...ping.slice(1)])
  expect(await capturing.result).toMatchObject({ status: 0, stderr: '' })

  const bad = begin('--extcap-capture-filter', 'bad(')
  const { status, stderr } = await bad.result
  expect({ status, sentence: oneSentence.test(stderr) }).toEqual({ status: 2, sentence: true })
  expect(await xc.run(['extcap'])).toMatchObject({ status: 2, stderr: expect.stringMatching(oneSentence) })
  await xc.good(['stop', '--name', 'lab'])
  await census.expectUnchanged()
})

test('`xc verify` ends with status 1 and names what is not as planned', async ({ census }) => {
  const xc = new Xc()
  await xc.good(['start', ...small])
  expect((await xc.run(['verify'])).status).toBe(0)
  await xc.good(['exec', '1', '--', 'ip', 'link', 'set', 'eth1', 'mtu', '1400'])
  const { status, stdout } = await xc.run(['verify', '--json', '--timeout', '30'])
  expect(status).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ v: 1, ok: false })
  expect(stdout).toContain('1400')
  await xc.good(['stop'])
  await census.expectUnchanged()
})
