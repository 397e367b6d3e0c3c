/**
 * Captures what the real `dig` asks and what the real `nsd` answers, into the files beside this one: the question,
 * then the answer. Needs bind9-dnsutils and nsd:
 *
 *     node --import jiti/register test/vectors/dns/capture.ts
 *
 * Ids and cookies are written as 0, so that a second run gives the same files.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Frames, framed } from '../../../src/dns/wire/frames.ts'

const commands: Record<string, string> = {
  a: 'www.example. A',
  'a-plain': 'WWW.eXample. A +noedns +noadflag',
  aaaa: 'www.example. AAAA +dnssec +cdflag',
  cname: 'alias.example. A',
  'no-name': 'nothing.example. A',
  'no-data': 'www.example. MX',
  referral: 'host.sub.example. A',
  reverse: '-x fd00::1',
  any: 'example. ANY +notcp',
  'long-udp': 'long.example. TXT +ignore +bufsize=512',
  'long-tcp': 'long.example. TXT +tcp',
  unknown: 'odd.example. TYPE65280',
  class: 'www.example. -c CLASS3021 -t TYPE65280',
  axfr: 'example. AXFR',
  ixfr: 'example. IXFR=1',
  chaos: 'version.bind. CH TXT',
  notify: 'example. SOA +opcode=NOTIFY',
  update: 'example. SOA +opcode=UPDATE',
  'edns-1': 'www.example. A +edns=1 +noednsnegotiation',
  options: 'www.example. A +subnet=192.0.2.0/24 +nsid +ednsopt=65001:c0ffee',
  'no-recursion': 'www.example. A +norecurse',
  'header-only': 'www.example. A +header-only',
}

const zone = `$ORIGIN example.
$TTL 3600
@ IN SOA ns root 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
alias 300 CNAME www
sub NS ns.sub
ns.sub A 192.0.2.54
odd TYPE65280 \\# 4 c00cff00
${Array.from({ length: 12 }, (_, i) => `long TXT "${String(i).padStart(2, '0')}${'x'.repeat(200)}"`).join('\n')}
`

const folder = mkdtempSync(join(tmpdir(), 'capture-'))
const version = (tool: string) =>
  execFileSync('dpkg-query', ['-W', tool], { encoding: 'utf8' }).trim().replace(/\s+/, ' ')
const tool = `${version('bind9-dnsutils')}, ${version('nsd')}`
const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

/** An nsd with the zone, and its port. */
async function startNsd(): Promise<{ port: number; stop: () => void }> {
  const port = await freePort()
  writeFileSync(join(folder, 'zone'), zone)
  writeFileSync(
    join(folder, 'nsd.conf'),
    `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  pidfile: ""
  database: ""
  zonelistfile: "${folder}/list"
  xfrdfile: "${folder}/xfrd"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: example
  zonefile: zone
  provide-xfr: 127.0.0.1 NOKEY
`,
  )
  const nsd = spawn('nsd', ['-d', '-c', join(folder, 'nsd.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
  for await (const text of nsd.stderr) if (String(text).includes('nsd started')) break
  return { port, stop: () => void nsd.kill() }
}

/** Stands between dig and nsd, and keeps what passes. */
async function relay(port: number): Promise<{ port: number; passed: Buffer[]; close: () => void }> {
  const passed: Buffer[] = []
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await once(udp, 'listening')
  udp.on('message', (question, from) => {
    passed.push(question)
    const socket = createSocket('udp4')
    socket.on('message', answer => {
      passed.push(answer)
      udp.send(answer, from.port, from.address)
      socket.close()
    })
    socket.send(question, port, '127.0.0.1')
  })
  const tcp = createServer(client => {
    const server = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const frames = new Frames()
      from.on('data', data => {
        for (const message of frames.messages(data)) {
          passed.push(message)
          to.write(framed(message))
        }
      })
      from.on('end', () => to.end())
    }
  })
  await once(tcp.listen(udp.address().port, '127.0.0.1'), 'listening')
  const close = () => {
    udp.close()
    tcp.close()
  }
  return { port: udp.address().port, passed, close }
}

/** Without id, and without the random part of a COOKIE option. */
function anonymous(message: Buffer): Buffer {
  const bytes = Buffer.from(message).fill(0, 0, 2)
  const cookie = bytes.indexOf(Buffer.of(0, 10, 0, 8))
  return cookie < 0 ? bytes : bytes.fill(0, cookie + 4, cookie + 12)
}

const nsd = await startNsd()
for (const [name, command] of Object.entries(commands)) {
  const { port, passed, close } = await relay(nsd.port)
  const args = ['@127.0.0.1', '-p', String(port), '-r', '+tries=1', '+time=1', ...command.split(' ')]
  await promisify(execFile)('dig', args).catch(() => undefined)
  close()
  const paragraphs = passed.map(message =>
    anonymous(message)
      .toString('hex')
      .replace(/.{1,96}/g, '$&\n'),
  )
  const head = `# command: dig ${command}\n# tool: ${tool}\n# kernel: ${kernel}\n`
  writeFileSync(join(import.meta.dirname, `${name}.hex`), `${head}\n${paragraphs.join('\n')}`)
}
nsd.stop()
rmSync(folder, { recursive: true })
