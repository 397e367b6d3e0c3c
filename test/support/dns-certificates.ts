import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A certificate with its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An authority made for a test, with openssl(1). */
export class Authority implements AsyncDisposable {
  /** Its certificate, for the clients. */
  readonly file: string
  readonly #folder: string
  #count = 0

  private constructor(folder: string) {
    this.#folder = folder
    this.file = join(folder, 'ca.pem')
  }

  static async make(): Promise<Authority> {
    const authority = new Authority(await mkdtemp(join(tmpdir(), 'xc-ca-')))
    const { file } = authority
    const about = ['-subj', '/CN=test authority', '-days', '2', '-addext', 'keyUsage=critical,keyCertSign']
    await run('openssl', ['req', '-x509', ...newKey, '-keyout', `${file}.key`, '-out', file, ...about])
    return authority
  }

  /** A certificate for these names: `DNS:dns.lab.test,IP:127.0.0.1`. */
  async issue(names: string, days = 1): Promise<Certificate> {
    const at = join(this.#folder, String(++this.#count))
    await run('openssl', [
      'req',
      ...newKey,
      '-keyout',
      `${at}.key`,
      '-out',
      `${at}.csr`,
      '-subj',
      '/CN=server',
    ])
    await writeFile(`${at}.ext`, `subjectAltName=${names}\n`)
    const by = ['-CA', this.file, '-CAkey', `${this.file}.key`, '-CAcreateserial']
    const about = ['-days', String(days), '-extfile', `${at}.ext`]
    await run('openssl', ['x509', '-req', '-in', `${at}.csr`, ...by, ...about, '-out', `${at}.pem`])
    return { cert: await readFile(`${at}.pem`, 'utf8'), key: await readFile(`${at}.key`, 'utf8') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true })
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
