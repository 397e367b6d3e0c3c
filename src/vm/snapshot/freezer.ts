import { randomUUID } from 'node:crypto'
import { ftruncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Scope } from '../../base/index.ts'
import type { QmpClient } from '../../qmp/index.ts'
import { Memfd } from '../../sys/index.ts'
import type { SavedVm, Template } from '../shape.ts'
import type { VmSpec } from '../types.ts'
import { freeze } from './device-state.ts'
import { copyNonZero } from './extents.ts'
import { mebibyte } from './manifest.ts'
import type { StateTransport } from './transport.ts'

type Frozen = Pick<VmSpec, 'memoryMiB' | 'nics' | 'template'>

/** The memory of a VM that can be frozen, in files of its own. */
export class Freezer {
  /** Its RAM, which QEMU writes to. */
  readonly ram = new Memfd('xcluster-freezable')
  /** For the state of its devices. */
  readonly saved = new Memfd('xcluster-state')
  /** It boots, or it resumes from a template. */
  readonly role: 'template' | 'derived'
  readonly #spec: Frozen
  #transport: StateTransport | undefined
  #isKept = false

  private constructor(spec: Frozen) {
    this.#spec = spec
    this.role = spec.template ? 'derived' : 'template'
  }

  /** Opens it, with the memory of the spec's template in it, if it has one. */
  static async open(spec: Frozen): Promise<Freezer> {
    const freezer = new Freezer(spec)
    const { memoryMiB, template } = spec
    try {
      ftruncateSync(freezer.ram.fd, memoryMiB * mebibyte)
      if (template) await copyNonZero(template.ram.fd, freezer.ram.fd, memoryMiB * mebibyte)
      return freezer
    } catch (failure) {
      await freezer.close()
      throw failure
    }
  }

  /** Saves the state of its devices, in place of one that was saved before. Its processors stand still. */
  async save(qmp: QmpClient): Promise<void> {
    ftruncateSync(this.saved.fd, 0)
    this.#transport = await freeze(qmp, this.saved, this.role)
  }

  /** What was saved, in files of the caller's: it stays what it is until the processors go on. */
  async opened(): Promise<SavedVm> {
    await using scope = new Scope()
    const again = async ({ fd }: Memfd) => scope.add(await open(`/proc/self/fd/${fd}`, 'r'))
    const [ram, state] = [await again(this.ram), await again(this.saved)]
    const { memoryMiB, nics } = this.#spec
    const files = scope.move()
    const close = () => files.close()
    const shape = { memoryMiB, nicCount: nics.length, transport: this.#transport! }
    return { ...shape, ram, state, [Symbol.asyncDispose]: close }
  }

  /** What was saved outlives the VM, for {@link sealed}. */
  keep(): void {
    this.#isKept = true
  }

  /** What it was when it was saved. Its QEMU has ended: a file that is mapped for writing cannot be sealed. */
  sealed(): Template {
    const { ram, saved: state } = this
    ram.seal()
    state.seal()
    const { memoryMiB, nics } = this.#spec
    const close = async () => {
      await Promise.all([ram.close(), state.close()])
    }
    return {
      ...{ key: randomUUID(), memoryMiB, nicCount: nics.length, ram, state, transport: this.#transport! },
      ...{ isPaused: true, close, [Symbol.asyncDispose]: close },
    }
  }

  /** Its VM has ended. */
  async close(): Promise<void> {
    if (this.#isKept) return
    await Promise.all([this.ram.close(), this.saved.close()])
  }
}
