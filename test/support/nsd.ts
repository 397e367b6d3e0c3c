import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real nsd with the zone `example`, in which every name has the address 192.0.2.1. */
export interface Nsd extends AsyncDisposable {
  /** `127.0.0.1:40000`. */
  readonly address: string
}

/** Starts nsd with these lines in the `server:` part of its configuration. */
export async function startNsd(...settings: readonly string[]): Promise<Nsd> {
  const folder = await mkdtemp(join(tmpdir(), 'nsd-'))
  const port = await freePort()
  await writeFile(join(folder, 'example'), zone)
  await writeFile(join(folder, 'nsd.conf'), conf(folder, port, settings))
  const nsd = spawn('nsd', ['-d', '-c', join(folder, 'nsd.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(nsd, 'close')
  let said = ''
  for await (const text of nsd.stderr) {
    said += text
    if (said.includes('nsd started')) break
  }
  if (!said.includes('nsd started')) throw new Error(`nsd has not started: ${said}`)
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      nsd.kill()
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

/** A UDP port that is free at this moment. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

const zone = `$ORIGIN example.
$TTL 300
@ SOA ns root 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
* A 192.0.2.1
${Array.from({ length: 60 }, (_, i) => `*.long TXT "${i} ${'x'.repeat(60)}"`).join('\n')}
`

const conf = (folder: string, port: number, settings: readonly string[]) => `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  pidfile: ""
  zonelistfile: "${folder}/list"
  xfrdfile: "${folder}/xfrd"
  server-count: 1
${settings.map(line => `  ${line}\n`).join('')}remote-control:
  control-enable: no
zone:
  name: example
  zonefile: example
`
