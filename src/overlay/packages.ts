import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Inputs } from '../image/index.ts'

/** Directories that are links on a machine with merged /usr, and not in guests. */
const merged = /^(bin|sbin|lib\w*)$/

/** Directories of a package that no program of it needs. */
const unneeded =
  /^usr\/share\/(doc|man|info|locale|lintian|bug|doc-base|bash-completion|zsh|fish|snmp|apport|apparmor|icons|applications|pixmaps|metainfo|menu)(\/|$)|^etc\/(apparmor\.d|init\.d|logrotate\.d|cron\.\w+|default)(\/|$)|^(usr\/)?lib\/systemd(\/|$)/

/** The packages of a root directory, as dpkg(1) records them in `var/lib/dpkg`. */
export class InstalledPackages {
  readonly #root: string
  readonly #info: string
  readonly #inputs: Inputs
  #names: Map<string, string> | undefined
  /** The list of each package: read at once, 10 times as fast as one promise for each of a thousand. */
  #texts: (readonly [name: string, list: Buffer])[] | undefined

  /** `inputs` records what was looked at. dpkg(1) renames files into the directory of lists, which is one of them. */
  constructor(root: string, inputs = new Inputs()) {
    this.#root = root
    this.#inputs = inputs
    this.#info = join(root, 'var/lib/dpkg/info')
  }

  has(name: string): boolean {
    return this.#lists().has(name)
  }

  /** The package that has this file; undefined for a file of none. */
  ownerOf(path: string): string | undefined {
    const lines = spellings(path).map(line => Buffer.from(`\n${line}\n`))
    this.#texts ??= [...this.#lists()].map(([name, list]) => [name, readFileSync(list)] as const)
    return this.#texts.find(([, text]) => lines.some(line => text.includes(line)))?.[0]
  }

  /** The package with those that were fetched for it. One that is installed stands alone. */
  async withNeeded(name: string): Promise<string[]> {
    const file = join(this.#info, `${name}.depends`)
    if (!this.#inputs.has(file)) return [name]
    return (await readFile(file, 'utf8')).split('\n').filter(each => this.has(each))
  }

  /** The paths of its files and links, below the root, without documentation. */
  async filesOf(name: string): Promise<string[]> {
    const list = this.#lists().get(name)!
    this.#inputs.has(list)
    const paths = (await readFile(list, 'utf8')).split('\n').map(line => line.slice(1))
    const isWanted = (path: string) =>
      !unneeded.test(path) && !merged.test(path) && path !== '' && path !== '.'
    return paths.filter(path => isWanted(path) && this.#isFile(path))
  }

  /** The names of users that its installation makes: those that adduser(8) or useradd(8) get in its script. */
  async accountsOf(name: string): Promise<string[]> {
    const script = this.#lists()
      .get(name)!
      .replace(/\.list$/, '.postinst')
    const text = this.#inputs.has(script) ? await readFile(script, 'utf8') : ''
    const lines = text.replaceAll('\\\n', ' ').split('\n')
    const names = lines.flatMap(line => {
      const [command = ''] = line.split(/\|\||&&|[;<>]/)
      const [, made] = /\b(?:adduser|useradd)\b.*\s([a-z_][\w-]*)(?:\s+\d)?\s*$/.exec(command) ?? []
      return made === undefined ? [] : [made]
    })
    return [...new Set(names)]
  }

  #isFile(path: string): boolean {
    return this.#inputs.has(join(this.#root, path))
  }

  /** By name, without the architecture that the file's name may have. */
  #lists(): Map<string, string> {
    if (!this.#names) {
      const files = this.#inputs.has(this.#info)
        ? readdirSync(this.#info).filter(file => file.endsWith('.list'))
        : []
      this.#names = new Map(files.map(file => [file.replace(/(:\w+)?\.list$/, ''), join(this.#info, file)]))
    }
    return this.#names
  }
}

/** Packages may know a file by another path: `/bin` is a link to `/usr/bin`. */
function spellings(path: string): string[] {
  const short = path.replace(/^usr\//, '')
  return [...new Set([`/${path}`, `/${short}`, `/usr/${short}`])]
}
