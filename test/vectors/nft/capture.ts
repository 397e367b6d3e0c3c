/**
 * Captures what the real `nft` says to the kernel, with its own words for the bytes (`--debug=netlink`), and what
 * the kernel answers to `nft list ruleset`, into the files beside this one. Each command runs in a network
 * namespace of its own. Needs root, nftables and strace:
 *
 *     node --import jiti/register test/vectors/nft/capture.ts [NAME...]
 *
 * Sequence numbers are written as nft counts them, from 0; what it asks before its change is left out.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { datagrams } from '../../support/strace.ts'
import { before, commands, needs } from './rulesets.ts'

const here = dirname(fileURLToPath(import.meta.url))
const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()
const tool = execFileSync('nft', ['--version'], { encoding: 'utf8' }).trim()

interface Traced {
  readonly trace: string
  readonly debug: string
}

interface Given {
  readonly earlier: readonly string[]
  /** The kernel lacks a part: what counts is what nft has sent. */
  readonly refused?: boolean
}

function trace(direction: 'write' | 'read', command: string, { earlier, refused }: Given): Traced {
  const directory = mkdtempSync(join(tmpdir(), 'capture-'))
  const file = join(directory, 'trace')
  try {
    writeFileSync(join(directory, 'before'), earlier.join('\n'))
    writeFileSync(join(directory, 'command'), `${command}\n`)
    const calls = direction === 'write' ? 'sendmsg' : 'recvmsg'
    const traced = `strace -e trace=${calls} -e ${direction}=all -o '${file}' nft --debug=netlink -f '${directory}/command'`
    const script = `nft -f '${directory}/before' && { ${traced}${refused ? ' || true' : ''}; }`
    const debug = execFileSync('unshare', ['--net', 'sh', '-c', script], { encoding: 'utf8' })
    return { trace: readFileSync(file, 'utf8'), debug }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function save(
  name: string,
  command: string,
  { debug, datagrams }: { debug: string; datagrams: Uint8Array[] },
) {
  const said = debug.split('\n').filter(line => line.trim() !== '')
  const head = [`# command: nft ${command}`, `# tool: ${tool}`, `# kernel: ${kernel}`]
  const body = datagrams.map(bytes =>
    Buffer.from(bytes)
      .toString('hex')
      .replace(/(.{128})(?=.)/g, '$1\n'),
  )
  const lines = [...head, ...said.map(line => `# debug: ${line.trimEnd()}`), '', body.join('\n\n')]
  writeFileSync(join(here, `${name}.hex`), `${lines.join('\n')}\n`)
}

const NFNL_MSG_BATCH_BEGIN = 0x10
const isBatch = (bytes: Uint8Array) => bytes[4] === NFNL_MSG_BATCH_BEGIN && bytes[5] === 0

const wanted = process.argv.slice(2)
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name)

for (const [name, command] of Object.entries(commands).filter(([name]) => isWanted(name))) {
  const { trace: text, debug } = trace('write', command, { earlier: before, refused: name in needs })
  save(name, command, { debug, datagrams: datagrams(text).filter(isBatch) })
}

/** Rules and sets enough to have every kind of answer. */
const rich = Object.entries(commands).filter(([name]) =>
  /^(ip|port|ct|names|log|limit|red|dnat|set-pl)/.test(name),
)
const earlier = [...before, ...rich.map(([, command]) => command)]
const { trace: answers } = trace('read', 'list ruleset', { earlier })
if (isWanted('dump')) save('dump', 'list ruleset', { debug: '', datagrams: datagrams(answers) })
