// @ts-check
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupFailure } from '../failure.js'

/**
 * An option of the kernel's configuration.
 * @typedef {object} Option
 * @property {string} name `CONFIG_VETH`
 * @property {string} value `y`, `m`, `n`, a number or a text in quotes
 * @property {string} file where it was asked for
 */

const own = fileURLToPath(new URL('guest.config', import.meta.url))

/** Without these no guest boots. */
const required = [
  ...[
    'PVH',
    'PRINTK',
    'SERIAL_8250_CONSOLE',
    'BLK_DEV_INITRD',
    'DEVTMPFS',
    'PROC_FS',
    'SYSFS',
    'TMPFS',
    'UNIX',
  ],
  ...[
    'MODULES',
    'NET_NS',
    'INET',
    'IPV6',
    'VIRTIO_PCI',
    'VIRTIO_NET',
    'VIRTIO_CONSOLE',
    'VIRTIO_BLK',
    'ISO9660_FS',
  ],
].map(name => `CONFIG_${name}`)

/**
 * The options of guest.config and then those of these files, as `make` reads them: `CONFIG_VETH=m`, `# CONFIG_VETH is not
 * set`. Of several for one name the last counts.
 * @param {readonly string[]} files
 * @returns {Option[]}
 */
export function readFragments(files) {
  return [own, ...files].flatMap(file => {
    const lines = textOf(file).split(/\r?\n/)
    return lines.flatMap((line, index) => optionOf(line, file, index + 1) ?? [])
  })
}

/** @param {string} file */
function textOf(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (failure) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (failure)
    throw wrong(`The fragment ${file} cannot be read (${code}). Give a file with lines like CONFIG_VETH=m.`)
  }
}

/**
 * @param {string} line
 * @param {string} file
 * @param {number} number
 * @returns {Option | undefined}
 */
function optionOf(line, file, number) {
  const off = /^#\s*(CONFIG_\w+) is not set\s*$/.exec(line)
  if (off?.[1]) return { name: off[1], value: 'n', file }
  if (/^\s*(#.*)?$/.test(line)) return undefined
  const [, name, value] = /^(CONFIG_\w+)=([ymn]|-?\d+|0x[\da-fA-F]+|"(?:[^"\\]|\\.)*")\s*$/.exec(line) ?? []
  if (name !== undefined && value !== undefined) return { name, value, file }
  throw wrong(
    `${file}, line ${number}: '${line.slice(0, 60)}' is not an option of a kernel. Write CONFIG_NAME=y, =m or a value, or # CONFIG_NAME is not set.`,
  )
}

/**
 * The text of a fragment with these options.
 * @param {readonly Option[]} options
 */
export function fragmentText(options) {
  const lines = [...new Map(options.map(({ name, value }) => [name, value]))].map(([name, value]) =>
    value === 'n' ? `# ${name} is not set\n` : `${name}=${value}\n`,
  )
  return lines.join('')
}

/**
 * Compares the configuration that came of these options with them. Throws when one of the user has no effect, or when what
 * guests need is off. Returns the names of those of guest.config that this version of Linux does not have.
 * @param {string} config the text of `.config`
 * @param {readonly Option[]} options
 * @param {string} source where the source is, to say why
 */
export function requireEffect(config, options, source) {
  const found = new Map(
    Array.from(config.matchAll(/^(CONFIG_\w+)=(.*)$/gm), ([, name, value]) => [name, value]),
  )
  const last = [...new Map(options.map(option => [option.name, option])).values()]
  const idle = last.filter(({ name, value }) => {
    const now = found.get(name) ?? 'n'
    return now !== value && !(value === 'm' && now === 'y')
  })
  const [users] = idle.filter(({ file }) => file !== own)
  if (users)
    throw wrong(`${users.file}: ${users.name}=${users.value} has no effect: ${whyNot(users.name, source)}`)
  const lacking = required.find(name => !['y', 'm'].includes(found.get(name) ?? 'n'))
  if (lacking)
    throw wrong(`${lacking} is off, and guests need it. Remove from the fragment what turns it off.`)
  return idle.map(({ name }) => name)
}

/**
 * @param {string} name
 * @param {string} source
 */
function whyNot(name, source) {
  const entry = new RegExp(`^(?:menu)?config ${name.slice('CONFIG_'.length)}\\n((?:[ \\t].*\\n|\\n)*)`, 'm')
  for (const file of kconfigs(source)) {
    const text = entry.exec(readFileSync(join(source, file), 'utf8'))?.[1]
    if (text === undefined) continue
    const depends = Array.from(text.matchAll(/^\s+depends on (.*)$/gm), ([, what]) => what)
    const of = depends.length > 0 ? ` on ${depends.join(', and on ')}` : ''
    return `it depends${of || ' on another option'} (${file}). Add what is missing to the fragment.`
  }
  return 'this version of Linux has no such option. Remove it from the fragment.'
}

/** @param {string} source */
function kconfigs(source) {
  const names = readdirSync(source, { recursive: true, encoding: 'utf8' })
  return names.filter(name => /(^|\/)Kconfig[^/]*$/.test(name))
}

/** @param {string} sentence */
const wrong = sentence => new SetupFailure(sentence, { status: 2, code: 'KERNEL_FRAGMENT' })
