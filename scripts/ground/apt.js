// @ts-check
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command, FetchError } from '../setup/command.js'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const inSource = { uri: '$(REPO_URI)', origin: '$(ORIGIN)', component: '$(COMPONENT)' }

/** Where this machine's own apt gets Debian's main packages: no mirror is named here. */
async function mirror() {
  const format = `${inSource.origin} ${inSource.component} ${inSource.uri}`
  const list = await command('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const uri = /^Debian main (\S+)$/m.exec(list)?.[1]
  if (uri) return uri
  throw new FetchError('None of the sources of apt has the packages of Debian: run "apt-get update" first.')
}

/** The apt of another suite, with a state of its own: nothing of this machine's apt is read or written. */
export class SuiteApt {
  #folder
  #signal

  /** @param {{ folder: string, signal: AbortSignal }} options */
  constructor({ folder, signal }) {
    this.#folder = folder
    this.#signal = signal
  }

  get archives() {
    return join(this.#folder, 'archives')
  }

  /**
   * Fetches the package lists of a suite, of its packages or of its sources.
   * @param {string} suite
   * @param {'deb' | 'deb-src'} [kind]
   */
  async update(suite, kind = 'deb') {
    for (const name of ['lists/partial', 'archives/partial', 'state'])
      await mkdir(join(this.#folder, name), { recursive: true })
    const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : ''
    await writeFile(join(this.#folder, 'sources.list'), `${kind} ${signed}${await mirror()} ${suite} main\n`)
    await writeFile(join(this.#folder, 'status'), '')
    await writeFile(join(this.#folder, 'apt.conf'), this.#settings())
    await this.#aptGet(['-qq', 'update'])
  }

  /**
   * Downloads packages with everything that they depend on, and returns the files.
   * @param {readonly string[]} names
   */
  async download(names) {
    await this.#aptGet(['-qq', '-y', '--no-install-recommends', '--download-only', 'install', ...names])
    const files = await readdir(this.archives)
    return files.filter(file => file.endsWith('.deb')).map(file => join(this.archives, file))
  }

  /** Downloads the sources of a package into the folder. @param {string} name */
  async downloadSource(name) {
    await this.#aptGet(['-qq', '--download-only', 'source', name])
  }

  /** Downloads a package without what it depends on into the folder. @param {string} name */
  async downloadAlone(name) {
    await this.#aptGet(['-qq', 'download', name])
  }

  /** @param {readonly string[]} args */
  #aptGet(args) {
    const env = { APT_CONFIG: join(this.#folder, 'apt.conf') }
    return command('apt-get', args, { env, signal: this.#signal, cwd: this.#folder })
  }

  /** The status is empty: nothing counts as installed. */
  #settings() {
    const settings = {
      'Dir::State': 'state',
      'Dir::State::Lists': 'lists',
      'Dir::State::status': 'status',
      'Dir::Cache': '.',
      'Dir::Cache::Archives': 'archives',
      'Dir::Etc::SourceList': 'sources.list',
    }
    const places = Object.entries(settings).map(([name, path]) => `${name} "${join(this.#folder, path)}";`)
    const none = ['SourceParts', 'Preferences', 'PreferencesParts'].map(
      name => `Dir::Etc::${name} "/dev/null";`,
    )
    const others = [
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      // Debian's containers delete what was downloaded.
      '#clear DPkg::Post-Invoke;',
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
    ]
    return [...places, ...none, ...others, ''].join('\n')
  }
}
