import { type Command, Option } from 'commander'
import { version } from '../../../base/index.ts'
import { clusterNames } from '../../../client/index.ts'
import { CliError } from '../../errors.ts'
import { print } from '../../output.ts'
import { type Session, trustedPlaces } from '../../session.ts'
import { capture } from './capture.ts'

/** What Wireshark asks of a program in its folder for external captures (its manual page extcap(4)). */
interface ExtcapOptions {
  readonly extcapInterfaces?: true
  readonly extcapInterface?: string
  readonly extcapDlts?: true
  readonly extcapConfig?: true
  readonly capture?: true
  readonly fifo?: string
  readonly extcapCaptureFilter?: string
  readonly node?: string
  readonly net?: string
}

const prefix = 'xcluster-'

export function configure(command: Command, session: Session): void {
  const asked = (flags: string) => new Option(flags).hideHelp()
  command
    .addOption(asked('--extcap-interfaces'))
    .addOption(asked('--extcap-version [version]'))
    .addOption(asked('--extcap-interface <interface>'))
    .addOption(asked('--extcap-dlts'))
    .addOption(asked('--extcap-config'))
    .addOption(asked('--capture'))
    .addOption(asked('--fifo <file>'))
    .addOption(asked('--extcap-capture-filter <expression>'))
    .addOption(asked('--node <nodes>'))
    .addOption(asked('--net <nets>'))
    .action((options: ExtcapOptions) => answer(session, options))
}

async function answer(session: Session, options: ExtcapOptions): Promise<void> {
  const { extcapInterfaces, extcapInterface, extcapDlts, extcapConfig } = options
  if (extcapInterfaces) return await listInterfaces(session)
  if (extcapInterface === undefined)
    throw misused('Wireshark runs it', 'xc capture --install-extcap makes that so')
  if (!extcapInterface.startsWith(prefix))
    throw misused(`there is no interface '${extcapInterface}'`, 'extcap --extcap-interfaces lists them')
  if (extcapDlts) return print('dlt {number=1}{name=EN10MB}{display=Ethernet}\n')
  if (extcapConfig) return print(lines(config))
  if (options.capture) await captureInto(session, extcapInterface, options)
}

const config = [
  'arg {number=0}{call=--node}{display=Nodes}{tooltip=Only their links: 1,201. Empty: all}{type=string}',
  'arg {number=1}{call=--net}{display=Nets}{tooltip=Only links on these nets: 0,1. Empty: all}{type=string}',
]

async function listInterfaces(session: Session): Promise<void> {
  const names = await clusterNames(trustedPlaces(session))
  const clusters = names.map(name => `interface {value=${prefix}${name}}{display=xcluster ${name}}`)
  print(lines([`extcap {version=${version}}{display=xcluster}`, ...clusters]))
}

/** Until Wireshark ends it by a signal, or closes the pipe. */
async function captureInto(session: Session, from: string, asked: ExtcapOptions): Promise<void> {
  const { fifo, extcapCaptureFilter: filter, node, net } = asked
  if (fifo === undefined) throw misused('--fifo is missing', 'Wireshark gives it')
  const listed = (text = '') => text.split(/[\s,]+/).filter(Boolean)
  const [nodes, nets] = [listed(node), listed(net)]
  const options = {
    ...{ name: from.slice(prefix.length), write: fifo },
    ...(nodes.length > 0 && { node: nodes }),
    ...(nets.length > 0 && { net: nets }),
    ...(filter && { filter }),
  }
  await capture(session, options, () => {}) // Wireshark takes what is on stderr for an error
}

const lines = (all: readonly string[]): string => all.map(line => `${line}\n`).join('')

function misused(reason: string, remedy: string): CliError {
  return new CliError({ code: 'BAD_USAGE', kind: 'usage', target: 'extcap', reason, remedy })
}
