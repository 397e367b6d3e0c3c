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

const placeholders: Readonly<Record<string, string>> = {
  direction: ' <which>',
  rate: ' <bits>',
  seed: ' <number>',
  share: ' <share>',
  milliseconds: ' <ms>',
}

export function configure(command: Command, session: Session): void {
  command.argument('[node]', '1 or vm-001').argument('[dev]', dev.doc)
  for (const [name, { kind, doc }] of Object.entries(impairments)) {
    command.addOption(new Option(`--${dashed(name)}${placeholders[name] ?? placeholders[kind] ?? ''}`, doc))
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
        const isGiven = Object.keys(asked).some(name => name !== 'direction')
        if (options.clear && isGiven) throw badUsage('--clear stands alone, or with --direction')
        if ('direction' in asked && !options.clear && !isGiven)
          throw badUsage('say what impairs that direction, or --clear')
        const isChange = options.clear || isGiven
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
Without options it lists the links that are impaired. What is given replaces what impaired that
direction of the link. Delay, loss and the like concern what the node sends, or with --direction
what it receives, or both.

  xc link 1 eth1 --delay-ms 20 --jitter-ms 5 --loss 0.01
  xc link 1 eth1 --direction received --loss 0.1
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
  const rows = links.map(({ node, dev: on, net, direction, by, ...impairment }) => [
    ...[node, on, `${net}`, direction],
    ...[impairmentText(impairment), by],
  ])
  return table(['node', 'dev', 'net', 'direction', 'impairment', 'by'], rows)
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
