import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { nodeName } from '../../../base/index.ts'
import type { NodeStatus } from '../../../client/index.ts'
import type { RunningCommand } from '../../../stream/index.ts'
import { CliError } from '../../errors.ts'
import { nameOption } from '../../options/shared.ts'
import { tell } from '../../output.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'
import { mergedOverlays } from './merged.ts'

interface InjectOptions extends CommonOptions {
  readonly addr: string
  readonly key?: string
  readonly sudo?: string | true
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<overlays...>', 'names, directories or tar files')
    .requiredOption('--addr <[user@]host>', 'an address, a name or the number of a node')
    .option('--key <file>', 'the key of ssh, for another machine than a node')
    .option('--sudo [word]', 'the word before tar on such a machine')
    .option(...nameOption)
    .addHelpText('after', help)
    .action((overlays: string[], options: InjectOptions) => inject(session, overlays, options))
}

const help = `
Their files are unpacked on the root of a node that runs, as they come. The scripts /etc/init.d/*.rc are not run.
For any other machine it prints the line that does the same through ssh.`

async function inject(session: Session, names: readonly string[], options: InjectOptions): Promise<void> {
  const client = clientOf(session, options)
  const { nodes } = await client.status()
  const host = options.addr.replace(/^.*@/, '')
  const node = nodes.find(each => isAt(each, host))
  if (!node) throw noNode(names, options)
  const archive = await mergedOverlays(session, names)
  const command = await client.spawn(`${node.id}`, { words: ['tar', '-C', '/', '-xf', '-'] })
  await unpacked(command, { archive, name: node.name })
  tell(`Unpacked ${names.join(', ')} on ${node.name}.`)
}

function isAt({ id, name, nets }: NodeStatus, host: string): boolean {
  const addresses = nets.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
  return host === name || host === `${id}` || host === nodeName(id) || addresses.includes(host)
}

interface Unpacking {
  readonly archive: NodeJS.ReadableStream
  readonly name: string
}

async function unpacked(command: RunningCommand, { archive, name }: Unpacking): Promise<void> {
  command.stdout.resume()
  const said = command.stderr.setEncoding('utf8').toArray()
  const sent = pipeline(archive, command.stdin).catch(() => {}) // a tar that fails reads no more, and says why
  const [{ status }, text] = await Promise.all([command.exit, said, sent])
  if (status === 0) return
  throw new CliError({
    code: 'OVERLAY_NOT_UNPACKED',
    op: 'unpack overlays on',
    target: name,
    reason: `its tar ended with status ${status}: ${text.join('').trim() || 'it said nothing'}`,
    remedy: 'What came before has been unpacked. Look at it: xc exec NODE -- df',
  })
}

function noNode(names: readonly string[], { addr, key, sudo }: InjectOptions): CliError {
  const before = sudo === undefined ? '' : `${sudo === true ? 'sudo' : sudo} `
  const line = `xc ovl tar ${names.join(' ')} | ssh ${key ? `-i ${key} ` : ''}${addr} ${before}tar -C / -xf -`
  return new CliError({
    code: 'NO_NODE_THERE',
    kind: 'missing',
    op: 'unpack overlays on',
    target: addr,
    reason: 'no node of this cluster has that address or name, and xc starts no ssh',
    remedy: `Run: ${line}`,
  })
}
