import { randomUUID } from 'node:crypto'
import { ftruncateSync } from 'node:fs'
import type { QmpClient } from '../../qmp/index.ts'
import { Memfd } from '../../sys/index.ts'
import type { Template } from '../shape.ts'
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

  /** Saves the state of its devices. Its processors stand still. */
  async save(qmp: QmpClient): Promise<void> {
    this.#transport = await freeze(qmp, this.saved, this.role)
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

  /** Its VM has ended. What was saved stays, for {@link sealed}. */
  async close(): Promise<void> {
    if (this.#transport !== undefined) return
    await Promise.all([this.ram.close(), this.saved.close()])
  }
}
