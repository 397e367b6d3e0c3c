import { closeSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Port, Scope } from '../src/base/index.ts'
import type { Benchmark, Case } from './benchmark.ts'
import { median } from './benchmark.ts'
import { built } from './built.ts'

const trips = 200

/**
 * One command after another to one QEMU without a machine: through the client of this project, and by hand on
 * a plain node:net socket that sends constant bytes and looks for a line end. Each has a monitor of its own.
 */
const qmp: Benchmark = {
  rounds: { usual: 15, quick: 3 },
  async prepare(scope) {
    const { connectQmp } = await built('qmp')
    const { adoptStream, connectStream, socketPair } = await built('sys')
    const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
    scope.defer(() => rmSync(directory, { recursive: true }))
    const pairs = [socketPair(), socketPair()] as const
    const paths = [join(directory, 'ours'), join(directory, 'raw')] as const
    const theirs = pairs.map(pair => pair[1])
    await startQemu(theirs, paths, scope)
    const ours = async (port: Port) => {
      const client = scope.add(await connectQmp(port))
      return () => client.execute('query-status')
    }
    const [ourPair, rawPair] = pairs
    // QEMU's greeting on the first monitor shows that it is up: by then the socket paths exist too.
    const cases = [
      oneCase('query-status over a socketpair', {
        xcluster: await ours(adoptStream(ourPair[0])),
        'node:net': await openRaw(new Socket({ fd: rawPair[0] }), scope),
      }),
      oneCase('query-status over a path', {
        xcluster: await ours(await connectStream(paths[0])),
        'node:net': await openRaw(connect(paths[1]), scope),
      }),
    ]
    return { cases }
  },
}
export default qmp

/** With a monitor on each of these descriptors, which are closed here, and on each path. */
async function startQemu(fds: readonly number[], paths: readonly string[], scope: Scope): Promise<void> {
  const { launch } = await built('sys')
  const qemu = launch({
    file: '/usr/bin/qemu-system-x86_64',
    args: [
      ...['-M', 'none', '-nodefaults', '-no-user-config', '-display', 'none'],
      ...fds.flatMap((_, i) => [
        '-chardev',
        `socket,id=m${i},fd=${3 + i}`,
        '-mon',
        `chardev=m${i},mode=control`,
      ]),
      ...paths.flatMap(path => ['-qmp', `unix:${path},server=on,wait=off`]),
    ],
    fds,
  })
  for (const fd of fds) closeSync(fd)
  scope.defer(async () => {
    qemu.kill('SIGKILL')
    await qemu.exited
  })
}

function oneCase(name: string, trips: Record<'xcluster' | 'node:net', () => Promise<unknown>>): Case {
  const variants = Object.fromEntries(
    Object.entries(trips).map(([variant, trip]) => [variant, async () => ({ [name]: await oneRound(trip) })]),
  )
  return { n: 1, units: { [name]: 'µs' }, variants, ratios: [['xcluster', 'node:net']] }
}

/** The median of one round's trips: it hides a garbage collection, or another process's turn. */
async function oneRound(trip: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < trips; i++) {
    const start = process.hrtime.bigint()
    await trip()
    times.push(Number(process.hrtime.bigint() - start) / 1000)
  }
  return median(times)
}

async function openRaw(socket: Socket, scope: Scope): Promise<() => Promise<unknown>> {
  scope.defer(() => void socket.destroy())
  let answered: (line: Buffer) => void = () => {}
  const line = () =>
    new Promise<Buffer>(resolve => {
      answered = resolve
    })
  const greeted = line()
  socket.on('data', piece => {
    if (piece.at(-1) === 0x0a) answered(piece)
  })
  await greeted
  const ask = (text: Buffer) => {
    const answer = line()
    socket.write(text)
    return answer
  }
  await ask(Buffer.from('{"execute":"qmp_capabilities"}\n'))
  const query = Buffer.from('{"execute":"query-status"}\n')
  return () => ask(query)
}
