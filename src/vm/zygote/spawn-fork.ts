import { type Port, Scope } from '../../base/index.ts'
import type { Exit, Launched } from '../../sys/index.ts'
import { childFds } from '../qemu/child-fds.ts'
import { type Spawned, wire, wiresTo } from '../qemu/spawn.ts'
import { tellForked, trace } from '../trace.ts'
import type { VmSpec } from '../types.ts'
import type { Zygote } from './zygote.ts'

/** How many bytes are kept of the end of what it writes. */
const keptOutput = 8 << 10

/** Forks a QEMU from one that stands still, with sockets and NICs of its own. After a failure it leaves nothing open. */
export async function spawnFork({ name, nics }: VmSpec, zygote: Zygote): Promise<Spawned> {
  await using opened = new Scope()
  await using ours = new Scope()
  const { fds, ports } = wiresTo(opened, ours)
  const output = wire(opened, ours)
  const { monitor, firstNic } = childFds.clone
  const places = new Map([
    [1, output.theirs],
    [2, output.theirs],
    ...fds.map((fd, index) => [monitor + index, fd] as const),
    ...nics.flatMap(nic => nic.fds).map((fd, index) => [firstNic + index, fd] as const),
  ])
  const { pid, exited, kill } = await zygote.fork(places)
  if (trace.on) tellForked(name, pid)
  const written = endOf(output.port)
  ours.move()
  const whole = async (): Promise<Exit> => {
    const exit = await exited
    await written.ended
    return exit
  }
  const launched: Launched = {
    pid,
    exited: whole(),
    kill,
    stdout: () => '',
    stderr: () => written.text() + endOfZygote(zygote),
  }
  return { launched, ...ports }
}

function endOfZygote({ lost }: Zygote): string {
  return lost === undefined ? '' : `the QEMU that it was forked from: ${lost}`
}

/** Keeps the end of what comes, until its end. */
function endOf(port: Port): { readonly text: () => string; readonly ended: Promise<void> } {
  let kept = Buffer.alloc(0)
  const ended = new Promise<void>(resolve => {
    port.receive({
      data: bytes => {
        kept = Buffer.concat([kept, bytes]).subarray(-keptOutput)
      },
      end: () => resolve(port.close()),
    })
  })
  return { text: () => kept.toString('utf8'), ended }
}
