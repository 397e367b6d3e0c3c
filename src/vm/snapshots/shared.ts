import { Scope } from '../../base/index.ts'
import { Memfd } from '../../sys/index.ts'
import type { Template } from '../shape.ts'
import type { StoredVm } from './manifest.ts'
import { pausedTemplate } from './open.ts'

/** VMs of a snapshot that another process holds open: descriptors of sealed memory, as JSON. */
export interface SharedVms {
  readonly pid: number
  readonly vms: readonly SharedVm[]
}

interface SharedVm extends Pick<StoredVm, 'id' | 'memoryMiB' | 'nicCount' | 'transport'> {
  readonly ram: number
  readonly state: number
}

/** Describes open VMs for processes of the same user. They stay open here until those have called {@link adoptVms}. */
export function shareVms(open: ReadonlyMap<number, Template>): SharedVms {
  const vms = Array.from(open, ([id, { memoryMiB, nicCount, transport, ram, state }]) => {
    return { id, memoryMiB, nicCount, transport, ram: ram.fd, state: state.fd }
  })
  return { pid: process.pid, vms }
}

/** The same memory, opened by this process too. It has been checked, and is sealed: nothing is read or copied. */
export async function adoptVms({ pid, vms }: SharedVms): Promise<{
  readonly vms: ReadonlyMap<number, Template>
  [Symbol.asyncDispose](): Promise<void>
}> {
  await using scope = new Scope()
  const adopted = vms.map(({ ram, state, ...shape }) => {
    const own = (fd: number) => scope.add(Memfd.of(pid, fd))
    return [shape.id, pausedTemplate(shape, { ram: own(ram), state: own(state) })] as const
  })
  const opened = scope.move()
  return { vms: new Map(adopted), [Symbol.asyncDispose]: () => opened.close() }
}
