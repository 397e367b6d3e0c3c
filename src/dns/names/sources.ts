import { readFileSync } from 'node:fs'
import { messageOf } from '../../base/index.ts'
import type { OwnHosts } from '../types.ts'
import { parseHostsFile } from './hosts-file.ts'
import { Names } from './names.ts'

/** Where own names come from: what we are told, and a file. */
export class Hosts {
  readonly #file: string | undefined
  readonly #notice: (text: string) => void
  #told: OwnHosts = { hosts: [] }
  #read: OwnHosts = { hosts: [] }

  constructor(file: string | undefined, notice: (text: string) => void) {
    this.#file = file
    this.#notice = notice
    this.reload()
  }

  tell(own: OwnHosts): void {
    this.#told = own
  }

  /** Reads the file again. One that cannot be read leaves what it said before. */
  reload(): void {
    const file = this.#file
    if (file === undefined) return
    try {
      const { hosts, nonsense } = parseHostsFile(readFileSync(file, 'utf8'))
      this.#read = { hosts }
      for (const line of nonsense) this.#notice(`${file}: ${line}`)
    } catch (failure) {
      this.#notice(`${file} cannot be read: ${messageOf(failure)}`)
    }
  }

  names(): Names {
    return new Names([this.#told, this.#read])
  }
}
