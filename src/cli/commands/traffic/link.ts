import { type Command, Option } from 'commander'
import { dashed, type ImpairedLink, verbs } from '../../../api/index.ts'
import { CliError } from '../../errors.ts'
import { nameOption, timeoutOption } from '../../options/shared.ts'
import { print, printJson } from '../../output.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'
import { typedValue } from '../../verb-values.ts'
import { table } from '../../view/table.ts'

interface LinkOptions extends CommonOptions {
  readonly clear?: boolean
}

const { node: _, dev, ...impairments } = verbs.impair.asks

export function configure(command: Command, session: Session): void {
  command.argument('[node]', '1 or vm-001').argument('[dev]', dev.doc)
  for (const [name, { kind, doc }] of Object.entries(impairments)) {
    const placeholder =
      kind === 'flag' ? '' : name === 'rate' ? ' <bits>' : kind === 'share' ? ' <share>' : ' <ms>'
    command.addOption(new Option(`--${dashed(name)}${placeholder}`, doc))
  }
  command
    .option('--clear', 'make the link whole again')
    .option(...nameOption)
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText('after', help)
    .action(
      async (
        node: string | undefined,
        on: string | undefined,
        options: LinkOptions & Record<string, unknown>,
      ) => {
        const client = clientOf(session, options)
        const asked = askedOf(options)
        if ((node === undefined) !== (on === undefined))
          throw badUsage('give a node and its interface, or neither')
        if (node === undefined && Object.keys(asked).length > 0)
          throw badUsage('say which link: a node and its interface')
        if (options.clear && Object.keys(asked).length > 0) throw badUsage('--clear stands alone')
        const isChange = options.clear || Object.keys(asked).length > 0
        const question = { node: node!, dev: on!, ...asked }
        const { links } = isChange
          ? await client.call(verbs.impair, question)
          : await client.call(verbs.links, {})
        const shown = isChange || node === undefined ? links : links.filter(each => isOf(each, node, on!))
        return options.json ? printJson({ v: 1, links: shown }) : print(await linksText(shown))
      },
    )
}

const help = `
Without options it lists the links that are impaired. What is given replaces what impaired the link.
Delay, loss and the like concern what the node sends, by netem of the guest's own kernel.

  xc link 1 eth1 --delay-ms 20 --jitter-ms 5 --loss 0.01
  xc link 1 eth1 --rate 10000000
  xc link 201 eth2 --down
  xc link 1 eth1 --clear`

function askedOf(options: LinkOptions & Readonly<Record<string, unknown>>): Record<string, unknown> {
  const typed = Object.entries(impairments).flatMap(([name, parameter]) => {
    const value = options[name]
    if (value === undefined || value === false) return []
    const option = `--${dashed(name)}`
    return [[name, value === true ? true : typedValue(option, { text: `${value}`, parameter })] as const]
  })
  return Object.fromEntries(typed)
}

function isOf({ node, dev: on }: ImpairedLink, asked: string, dev: string): boolean {
  return on === dev && Number(node.slice(3)) === Number(asked.replace(/^vm-/, ''))
}

async function linksText(links: readonly ImpairedLink[]): Promise<string> {
  if (links.length === 0) return 'no link is impaired\n'
  const { impairmentText } = await import('../../../plan/index.ts')
  const rows = links.map(({ node, dev: on, net, ...impairment }) => [
    node,
    on,
    `${net}`,
    impairmentText(impairment),
  ])
  return table(['node', 'dev', 'net', 'impairment'], rows)
}

function badUsage(reason: string): CliError {
  return new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    target: 'link',
    reason,
    remedy: 'xc link 1 eth1 --delay-ms 20',
  })
}
