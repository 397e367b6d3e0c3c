import { readFileSync } from 'node:fs'
import { messageOf } from '../../base/index.ts'
import type { OwnHosts } from '../types.ts'
import { parseHostsFile } from './hosts-file.ts'
import { Names } from './names.ts'

/** The sources of own names: those that were set, and a file. */
export class Hosts {
  readonly #file: string | undefined
  readonly #notice: (text: string) => void
  #own: OwnHosts = { hosts: [] }
  #read: OwnHosts = { hosts: [] }

  constructor(file: string | undefined, notice: (text: string) => void) {
    this.#file = file
    this.#notice = notice
    this.reload()
  }

  tell(own: OwnHosts): void {
    this.#own = own
  }

  /** Reads the file again. When it cannot be read, its earlier names stay. */
  reload(): void {
    const file = this.#file
    if (file === undefined) return
    try {
      const { hosts, badLines } = parseHostsFile(readFileSync(file, 'utf8'))
      this.#read = { hosts }
      for (const line of badLines) this.#notice(`${file}: ${line}`)
    } catch (failure) {
      this.#notice(`${file} cannot be read: ${messageOf(failure)}`)
    }
  }

  names(): Names {
    return new Names([this.#own, this.#read])
  }
}
